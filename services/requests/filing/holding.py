"""Files that were chosen in the very form whose session had ended: kept until one signs in again.

Whoever sends them is not known here, so little is kept, and not for long: as bytes without a row,
which the sweep lets go of after an hour, so many within that hour. What names them goes sealed with
the form through the sign-in (`chassis.web.held`), and opens for the same account in the same
browser. Only then are they looked into, as if they had just been sent.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI

from chassis import clock
from chassis.app import HTTPRequest
from chassis.files import Files, NoRoom, full_disk_told, safe_name
from chassis.ids import new_id
from chassis.problems import NotFound, SignInRequired
from chassis.runtime import Runtime
from chassis.web import held
from chassis.web.pages import principal
from chassis.web.uploads import ReceivedFile, Refusal, received
from services.requests.domain.attachments import LARGEST_FILE

log = structlog.get_logger()

LIFETIME = timedelta(hours=1)
"""As long as the sweep leaves alone what has no row."""

SWEPT_WITHIN = timedelta(minutes=75)
MOST_BYTES = 256 * 1024 * 1024
"""That one process takes from people whom it does not know, before the first are swept."""

PURPOSE = "held-files"


class Room:
    """How much may still be taken. What was, counts until it is swept."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._taken: deque[tuple[datetime, int]] = deque()

    def takes(self, size_bytes: int, now: datetime) -> bool:
        """May it come in? Then it has."""
        while self._taken and now - self._taken[0][0] > SWEPT_WITHIN:
            self._taken.popleft()
        if sum(size for _, size in self._taken) + size_bytes > self._most_bytes:
            return False
        self._taken.append((now, size_bytes))
        return True


@dataclass(frozen=True)
class HeldFile:
    """A file that waits, or why it does not."""

    input: str
    name: str
    id: UUID | None
    refusal: Refusal = ""


def install_holding(app: FastAPI, _runtime: Runtime) -> None:
    """Give the app the room that `hold_files` takes from."""
    app.state.room = Room()


async def hold_files(http: HTTPRequest) -> None:
    """Keep the files of a form that comes without its session. Then raises SignInRequired.

    Only of a form that says whose page it was on, sent by a person who leaves that page with it:
    a script that is refused has its files still.
    """
    who = principal(http)
    is_form = http.headers.get("content-type", "").startswith("multipart/form-data")
    leaves = http.headers.get("sec-fetch-mode", "navigate") == "navigate"
    if who.signed_in or not (who.browser and is_form and leaves):
        return
    store: Files = http.app.state.runtime.files
    async with received(http, store.incoming, largest_file=LARGEST_FILE) as sent:
        whose = sent.fields.get(held.WHOSE, "")
        if not (whose and sent.files):
            raise SignInRequired
        waiting = [await _hold(http, store, one) for one in sent.files]
    log.info("files_held", files=sum(one.id is not None for one in waiting))
    raise SignInRequired(files=_sealed(http, whose, waiting))


HOLDING = Depends(hold_files)
"""For a route that takes files, before the rule that asks for a session."""


@asynccontextmanager
async def claimed(
    http: HTTPRequest, fields: Mapping[str, str]
) -> AsyncIterator[list[ReceivedFile]]:
    """The files that waited for whoever sends this form; gone with the block, as if just sent.

    None for another account, browser or tenant.
    """
    store: Files = http.app.state.runtime.files
    files: list[ReceivedFile] = []
    try:
        for one in _opened(http, fields.get(held.FILES, "")):
            file = ReceivedFile(
                one.input, one.name, store.incoming / secrets.token_hex(16), refusal=one.refusal
            )
            files.append(file)
            if one.id is not None:
                await _bring(store, http.state.call.tenant, one.id, file)
        yield files
    finally:
        for file in files:
            file.path.unlink(missing_ok=True)


async def _hold(http: HTTPRequest, store: Files, file: ReceivedFile) -> HeldFile:
    name = safe_name(file.name)
    if file.refusal or not file.size_bytes:
        return HeldFile(file.input, name, None, file.refusal)
    room: Room = http.app.state.room
    if not room.takes(file.size_bytes, clock.now()):
        return HeldFile(file.input, name, None, "no_room")
    id = new_id()
    try:
        await store.keep(http.state.call.tenant, id, file.path)
    except NoRoom:
        return HeldFile(file.input, name, None, "no_room")
    return HeldFile(file.input, name, id)


async def _bring(store: Files, tenant: UUID, id: UUID, file: ReceivedFile) -> None:
    """Its bytes to where files are received. It stays where it waits, should one press twice."""
    try:
        with full_disk_told():
            async for chunk in await store.read(tenant, id):
                await asyncio.to_thread(_append, file.path, chunk)
                file.size_bytes += len(chunk)
    except NotFound:
        file.refusal = "gone"
    except NoRoom:
        file.refusal = "no_room"


def _append(path: Path, chunk: bytes) -> None:
    with path.open("ab") as handle:
        handle.write(chunk)


def _sealed(http: HTTPRequest, whose: str, files: list[HeldFile]) -> str:
    told = [
        whose,
        principal(http).browser,
        clock.now().timestamp(),
        [[one.input, one.name, one.id.hex if one.id else "", one.refusal] for one in files],
    ]
    return held.seal(_secret(http), http.state.call.tenant, told)


def _opened(http: HTTPRequest, text: str) -> list[HeldFile]:
    told: Any = held.unseal(_secret(http), http.state.call.tenant, text) if text else None
    if told is None:
        return []
    whose, browser, at, files = told
    own = held.mark_of(http.state.call.tenant, principal(http).account_id)
    if (whose, browser) != (own, principal(http).browser):
        return []
    now = clock.now()
    is_late = now - datetime.fromtimestamp(at, now.tzinfo) > LIFETIME
    return [
        HeldFile(input, name, None, "gone")
        if is_late and id
        else HeldFile(input, name, UUID(hex=id) if id else None, refusal)
        for input, name, id, refusal in files
    ]


def _secret(http: HTTPRequest) -> bytes:
    runtime: Runtime = http.app.state.runtime
    return runtime.keys.secret(PURPOSE)
