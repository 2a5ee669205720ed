"""Passwords hashed and compared, in a few threads of their own and never in a transaction.

Argon2id with the least that OWASP recommends (19 MiB, two passes, one lane), about 20 ms each.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.problems import Unavailable
from services.identity.domain.passwords import prepared

R = TypeVar("R")

WORKERS = 2
MOST_WAITING = 100
"""More would wait for over a second: overload is told early."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_nobodys = _hasher.hash(secrets.token_urlsafe())
_pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="argon2")
_waiting = 0


def hashed_now(password: str) -> str:
    """The hash to keep, computed in this thread: for commands, which serve nobody meanwhile."""
    return _hasher.hash(prepared(password))


async def hashed(password: str) -> str:
    """The hash to keep. Raises Unavailable when too many wait."""
    return await _in_turn(lambda: hashed_now(password))


async def matches(password_hash: str | None, password: str) -> bool:
    """Is it that password? Takes as long where there is none to compare with, and is then False."""
    right = await _in_turn(lambda: _verified(password_hash or _nobodys, password))
    return right and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Was it made with other parameters than today's?"""
    return _hasher.check_needs_rehash(password_hash)


def _verified(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, prepared(password))
    except (VerificationError, InvalidHashError):
        return False


async def _in_turn(work: Callable[[], R]) -> R:
    global _waiting
    if _waiting >= MOST_WAITING:
        raise Unavailable
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, work)
    finally:
        _waiting -= 1
