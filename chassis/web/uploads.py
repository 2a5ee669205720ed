"""Forms that bring files: read as they come, in bounded memory, each file into a file of its own.

A file that is too large, or that the disk has no room for, is read to its end and dropped: the
answers beside it are kept.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from chassis.files import FULL
from chassis.web.pages import submitted

MOST_FIELDS = 1000
MOST_FILES = 20
LARGEST_TEXT = 2 * 1024 * 1024
"""Bytes of all answers that are no files."""

Refusal = Literal["", "too_large", "too_many", "no_room", "gone"]


@dataclass
class ReceivedFile:
    """A file as it came, under the name that its sender gave it."""

    input: str
    name: str
    path: Path
    size_bytes: int = 0
    refusal: Refusal = ""


@dataclass
class Received:
    """What a form's button sent: by the names of inputs, several of one name a line each."""

    fields: dict[str, str]
    files: list[ReceivedFile] = field(default_factory=list)


@asynccontextmanager
async def received(http: Request, incoming: Path, *, largest_file: int) -> AsyncIterator[Received]:
    """What was sent; the files go with the block, unless they were moved away.

    Raises HTTPException, and ClientDisconnect where the rest never comes.
    """
    kind, options = parse_options_header(http.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        yield Received(await submitted(http))
        return
    reader = _Reader(options.get(b"boundary", b""), incoming, largest_file)
    try:
        async for chunk in http.stream():
            reader.feed(chunk)
            if reader.pending:
                await asyncio.to_thread(reader.write)
        yield reader.received()
    finally:
        reader.close()


class _Reader:
    """Takes a body apart. What it finds of files is pending until `write`."""

    def __init__(self, boundary: bytes, incoming: Path, largest_file: int) -> None:
        self._incoming = incoming
        self._largest_file = largest_file
        self._values: dict[str, list[str]] = {}
        self._text_left = LARGEST_TEXT
        self._fields_left = MOST_FIELDS
        self._files: list[ReceivedFile] = []
        self._open: dict[Path, BinaryIO] = {}
        self._header_name = b""
        self._header_value = b""
        self._name = ""
        self._text: bytearray | None = None
        self._file: ReceivedFile | None = None
        self._complete = False
        self.pending: list[tuple[ReceivedFile, bytes]] = []
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._part_is_known,
                    "on_part_data": self._on_data,
                    "on_part_end": self._part_ends,
                    "on_end": self._ends,
                },
            )
        except FormParserError as error:
            raise HTTPException(400) from error

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the body."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise HTTPException(400) from error

    def write(self) -> None:
        """Write what is pending; what the disk does not take is refused, and dropped."""
        for file, data in self.pending:
            if file.refusal:
                self._drop(file)
                continue
            try:
                if file.path not in self._open:
                    handle = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    self._open[file.path] = os.fdopen(handle, "wb", buffering=0)
                self._write_all(self._open[file.path], data)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                file.refusal = "no_room"
                self._drop(file)
        self.pending.clear()

    def received(self) -> Received:
        """All of it. Raises HTTPException where the body ended too early."""
        if not self._complete:
            raise HTTPException(400)
        for handle in self._open.values():
            handle.close()
        self._open.clear()
        fields = {name: "\n".join(several) for name, several in self._values.items()}
        return Received(fields, [one for one in self._files if one.name or one.size_bytes])

    def close(self) -> None:
        """Leave nothing of the files that nobody took."""
        for file in self._files:
            self._drop(file)

    def _drop(self, file: ReceivedFile) -> None:
        handle = self._open.pop(file.path, None)
        if handle is not None:
            handle.close()
        file.path.unlink(missing_ok=True)

    def _write_all(self, handle: BinaryIO, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[handle.write(rest) :]

    # ── The parser's calls, in the order of a part ───────────────────────────────────────────────

    def _part_begins(self) -> None:
        self._name, self._text, self._file = "", None, None
        self._header_name = self._header_value = b""
        self._fields_left -= 1
        if self._fields_left < 0:
            raise HTTPException(413)

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        if len(self._header_value) > 16_384:
            raise HTTPException(400)

    def _header_ends(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                name = options[b"filename"].decode("utf-8", "replace")
                path = self._incoming / secrets.token_hex(16)
                self._file = ReceivedFile(self._name, name, path)
        self._header_name = self._header_value = b""

    def _part_is_known(self) -> None:
        if self._file is None:
            self._text = bytearray()
            return
        self._files.append(self._file)
        if len(self._files) > MOST_FILES:
            self._file.refusal = "too_many"

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.size_bytes += end - start
            if self._file.size_bytes > self._largest_file:
                self._file.refusal = self._file.refusal or "too_large"
                self.pending.append((self._file, b""))
            else:
                self.pending.append((self._file, data[start:end]))
        elif self._text is not None:
            self._text_left -= end - start
            if self._text_left < 0:
                raise HTTPException(413)
            self._text += data[start:end]

    def _part_ends(self) -> None:
        if self._text is not None:
            text = bytes(self._text).decode("utf-8", "replace")
            self._values.setdefault(self._name, []).append(text)

    def _ends(self) -> None:
        self._complete = True
