"""Bytes that people hand in: kept whole or not at all, under a tenant and an id, never a name.

`Files` is what a service uses; `FolderFiles` keeps them in a folder. A file is received in the
store's `incoming` folder first (nothing there is anybody's yet) and moved to its place by a
rename, so that a crash or a full disk leaves no half of one.
"""

import asyncio
import contextlib
import errno
import os
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote
from uuid import UUID

from chassis.problems import NotFound, Problem
from chassis.words import N_

CHUNK_BYTES = 64 * 1024
LONGEST_NAME = 120
MOST_NAME_BYTES = 255  # of a name on most file systems
"""Characters of a file's name: some file systems hold 255 bytes, and readers want less."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where no more can be written."""


class NoRoom(Problem):
    """The store is full."""

    status = 507
    title = N_(
        "There is no room for files just now. Your answers are kept: attach the files later, or "
        "go on without them."
    )


@dataclass(frozen=True)
class KeptFile:
    """A file in the store, as a sweep sees it."""

    tenant: UUID
    id: UUID
    kept_at: datetime


class Files(Protocol):
    """Where the bytes of files stand."""

    @property
    def incoming(self) -> Path:
        """The folder for files that are being received, from where they are kept."""

    async def keep(self, tenant: UUID, id: UUID, source: Path) -> None:
        """Move the file to its place; it is on the disk once this returns. Raises NoRoom."""

    async def read(self, tenant: UUID, id: UUID) -> AsyncIterator[bytes]:
        """Its bytes, a chunk after the other. Raises NotFound."""

    async def remove(self, tenant: UUID, id: UUID) -> None:
        """Let go of it; of one that is gone too."""

    async def all_kept(self) -> list[KeptFile]:
        """Every file there is, of every tenant."""

    async def sweep_incoming(self, before: datetime) -> None:
        """Let go of what was left half received before that."""


class FolderFiles:
    """Files in a folder, `<tenant>/<id>`: readable by this process's user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def incoming(self) -> Path:
        """The folder for files that are being received."""
        folder = self._folder / "incoming"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    async def keep(self, tenant: UUID, id: UUID, source: Path) -> None:
        """Written through, then renamed, then its name written through."""
        await asyncio.to_thread(self._keep, self._path(tenant, id), source)

    async def read(self, tenant: UUID, id: UUID) -> AsyncIterator[bytes]:
        """Opened at once, so that what is not there is known before an answer is begun."""
        try:
            file = await asyncio.to_thread(self._path(tenant, id).open, "rb")
        except FileNotFoundError as error:
            raise NotFound from error

        async def chunks() -> AsyncIterator[bytes]:
            with file:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield chunk

        return chunks()

    async def remove(self, tenant: UUID, id: UUID) -> None:
        """Without effect where there is none."""
        await asyncio.to_thread(self._path(tenant, id).unlink, missing_ok=True)

    async def all_kept(self) -> list[KeptFile]:
        """What stands in the tenants' folders; names that are no ids are nobody's, and left."""
        return await asyncio.to_thread(self._all_kept)

    async def sweep_incoming(self, before: datetime) -> None:
        """What a crash left there."""
        await asyncio.to_thread(self._sweep_incoming, before)

    def _path(self, tenant: UUID, id: UUID) -> Path:
        return self._folder / str(tenant) / str(id)

    def _keep(self, path: Path, source: Path) -> None:
        with full_disk_told():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with source.open("rb") as file:
                os.fsync(file.fileno())
            source.replace(path)
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _all_kept(self) -> list[KeptFile]:
        found = []
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(ValueError, FileNotFoundError):
                kept_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                found.append(KeptFile(UUID(path.parent.name), UUID(path.name), kept_at))
        return found

    def _sweep_incoming(self, before: datetime) -> None:
        for path in self.incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()


@contextlib.contextmanager
def full_disk_told() -> Iterator[None]:
    """Within the block, a disk that is full raises NoRoom."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise NoRoom from error
        raise


_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*\\/]')


def safe_name(name: str) -> str:
    """A file's name that is harmless in headers, on pages and on any file system.

    No path, no characters that control, join or turn text about, no leading dot, no name that a
    system keeps for itself, none that a program takes for an option; as long as a reader and a file
    system bear, its ending kept. Never empty.
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    visible = "".join(
        " " if unicodedata.category(char).startswith("Z") else char
        for char in name
        if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
    plain = " ".join(_NOT_IN_NAMES.sub("_", visible).split()).lstrip(". -").rstrip(". ")
    if _RESERVED.fullmatch(plain):
        plain = f"_{plain}"
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 10:
        return _cut(plain) or "file"
    return f"{_cut(stem, f'.{ending}') or 'file'}.{ending}"


def _cut(name: str, ending: str = "") -> str:
    """The beginning of the name that fits with this ending, no character cut in two."""
    short = name[: LONGEST_NAME - len(ending)].encode()
    return short[: MOST_NAME_BYTES - len(ending.encode())].decode(errors="ignore").rstrip(". ")


def content_disposition(name: str) -> str:
    """To be saved under this name: RFC 6266, the name whole by RFC 8187 and in ASCII beside."""
    plain = unicodedata.normalize("NFKD", safe_name(name)).encode("ascii", "ignore").decode()
    ascii_name = re.sub(r'["\\%;]', "_", plain).lstrip(".") or "file"
    whole = quote(safe_name(name), safe="")
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{whole}"
