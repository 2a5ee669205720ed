"""The caught mails: a file each, the envelope in its first line; their names sort by time."""

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

NAME = re.compile(r"([0-9a-f]{16})\.eml")
ENVELOPE = b"X-Guichet-Envelope: "


@dataclass(frozen=True, slots=True)
class Caught:
    """A mail as SMTP brought it; `id` is the instant of its arrival, in nanoseconds."""

    id: str
    sender: str  # empty for a bounce
    recipients: list[str]
    raw: bytes

    @property
    def received_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.id, 16) / 1e9, UTC)


class NoSuchMail(Exception):
    """It never was here, or is no longer."""


class Store:
    """Safe to call from many threads; what it does touches the disk, so never from the loop."""

    def __init__(self, folder: Path, *, keep: int) -> None:
        self._folder, self._keep = folder, keep
        self._lock = Lock()
        self._last = 0
        self._summaries: dict[str, Any] = {}  # by id; None until somebody lists it

    def open(self) -> None:
        """Make the folder, find what an earlier run kept, and drop what it left half written."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(self._folder.parent)
        for half in self._folder.glob("*.part"):
            half.unlink()
        names = (NAME.fullmatch(entry.name) for entry in self._folder.iterdir())
        self._summaries = {name[1]: None for name in names if name}
        self._last = int(max(self._summaries, default="0"), 16)

    def add(self, sender: str, recipients: list[str], raw: bytes) -> str:
        """The new mail's id, once it is safe from a power cut. On OSError nothing is kept."""
        with self._lock:  # ids go up even where the clock steps back
            self._last = max(time.time_ns(), self._last + 1)
            id = f"{self._last:016x}"
        # JSON writes control characters as escapes: no address can end the line.
        envelope = json.dumps({"from": sender, "to": recipients}).encode()
        part, final = self._folder / f"{id}.part", self._path(id)
        try:
            with part.open("xb") as file:
                file.write(ENVELOPE + envelope + b"\r\n" + raw)
                file.flush()
                os.fsync(file.fileno())
            part.rename(final)
            _sync(self._folder)
        except BaseException:
            for path in (part, final):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        with self._lock:
            self._summaries[id] = None
        self.remove(self.ids()[self._keep :])
        return id

    def ids(self) -> list[str]:
        """Of all mails, the newest first."""
        with self._lock:
            return sorted(self._summaries, reverse=True)

    def read(self, id: str) -> Caught:
        """Raises NoSuchMail."""
        with self._lock:
            if id not in self._summaries:  # only names that we gave reach the disk
                raise NoSuchMail
        try:
            data = self._path(id).read_bytes()
        except FileNotFoundError:
            self.remove([id])
            raise NoSuchMail from None
        first, _, raw = data.partition(b"\r\n")
        try:
            envelope = json.loads(first.removeprefix(ENVELOPE))
            return Caught(id, envelope["from"], envelope["to"], raw)
        except (ValueError, TypeError, KeyError):  # somebody changed the file
            return Caught(id, "", [], data)

    def summary(self, id: str, summarise: Callable[[Caught], dict[str, Any]]) -> dict[str, Any]:
        """What `summarise` makes of the mail, made once. Raises NoSuchMail."""
        with self._lock:
            known = self._summaries.get(id)
        if known is None:
            known = summarise(self.read(id))
            with self._lock:
                if id in self._summaries:
                    self._summaries[id] = known
        return dict(known)

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these mails; unknown ids are passed over."""
        for id in ids:
            with self._lock:
                known = self._summaries.pop(id, self) is not self
            if known:
                with contextlib.suppress(OSError):  # it may come back at the next start: no harm
                    self._path(id).unlink(missing_ok=True)

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.eml"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
