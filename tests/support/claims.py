"""Catching a worker between a claim and its commit, without a hook in the code.

A lock on a table, held as a superuser, keeps a handler (or a publisher) waiting in the middle of
its transaction, where `pg_locks` shows that it holds rows which it has claimed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from tests.support.promises import Installed


@dataclass(frozen=True)
class Claim:
    """Whose claim on which queue is caught, by a lock on which table in whose database."""

    service: str
    queue: str  # inbox, outbox
    locked_in: str
    table: str


HANDLED = [
    Claim("requests", "inbox", "requests", "requests"),  # an account creation takes a number
    Claim("requests", "inbox", "requests", "requesters"),  # a profile is projected
    Claim("notifier", "inbox", "notifier", "mails"),  # a mail is queued
    Claim("identity", "inbox", "identity", "accounts"),  # an account is opened
]
PUBLISHED = [
    Claim("identity", "outbox", "notifier", "inbox"),
    Claim("requests", "outbox", "notifier", "inbox"),
]

# It waits for the table, or for a row of somebody who waits for the table.
HELD_BY_HANDLER = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity AS backend
        JOIN pg_locks AS wanted ON wanted.pid = backend.pid AND NOT wanted.granted
        JOIN pg_locks AS claimed ON claimed.pid = backend.pid AND claimed.granted
            AND claimed.relation = 'inbox'::regclass AND claimed.mode = 'RowShareLock'
        WHERE backend.datname = current_database() AND backend.usename LIKE '%\\_mover')
"""
HELD_BY_PUBLISHER = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity AS backend
        JOIN pg_locks AS wanted ON wanted.pid = backend.pid AND NOT wanted.granted
            AND wanted.relation = 'inbox'::regclass
        WHERE backend.datname = current_database() AND backend.query LIKE '%INSERT INTO inbox%'
            AND backend.query NOT LIKE '%inbox_seen%')
"""
# How many rows other transactions hold: they are those that can't be locked now.
ROWS_HELD = """
    WITH free AS (SELECT FROM {table} WHERE {waiting} FOR UPDATE SKIP LOCKED)
    SELECT (SELECT count(*) FROM {table} WHERE {waiting}) - (SELECT count(*) FROM free)
"""

WAITING = {"inbox": "state = 'ready'", "outbox": "sent_at IS NULL"}


@asynccontextmanager
async def held_claim(guichet: Installed, claim: Claim, within_s: float = 30) -> AsyncIterator[int]:
    """While the block runs, the claimer waits with so many rows in its hands."""
    held = 0
    question = HELD_BY_HANDLER if claim.queue == "inbox" else HELD_BY_PUBLISHER
    count = ROWS_HELD.format(table=claim.queue, waiting=WAITING[claim.queue])
    async with (
        _connected(guichet, claim.locked_in) as holder,
        _connected(guichet, claim.locked_in) as watcher,
        _connected(guichet, claim.service) as counter,
    ):
        await holder.execute("BEGIN")
        await holder.execute(f"LOCK TABLE {claim.table} IN SHARE ROW EXCLUSIVE MODE")

        async def caught() -> bool:
            nonlocal held
            if await watcher.fetchval(question):
                held = int(await counter.fetchval(count))
            return held > 0

        await comes_about(caught, f"{claim}", within_s)
        yield held


async def comes_about(
    question: Callable[[], Awaitable[bool]], what: str, within_s: float = 30
) -> None:
    """Ask until the answer is yes."""
    until = time.monotonic() + within_s
    while not await question():
        assert time.monotonic() < until, f"never came about: {what}"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _connected(guichet: Installed, service: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await _connection(guichet, service)
    try:
        yield connection
    finally:
        connection.terminate()


async def _connection(guichet: Installed, service: str, within_s: float = 20) -> asyncpg.Connection:
    """A connection, as soon as the server has recovered from what befell it before."""
    until = time.monotonic() + within_s
    while True:
        try:
            return await guichet.database(service)
        except asyncpg.CannotConnectNowError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)
