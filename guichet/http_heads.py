"""HTTP/1.1 as httptools parses it, its heads bounded: the parser itself would read on for ever.

A head is a request's line and headers. What is chunked is bounded as a whole: no form is sent so,
and what may follow its last chunk is a head of its own.
"""

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REFUSALS = {
    HTTPStatus.BAD_REQUEST: "Invalid HTTP request received.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The request's headers are too large.",
}


VERSIONS = frozenset({"1.0", "1.1"})
BEGUN_WITHIN_S = 0.5
"""As a server stops, a connection may still bring so long the request for which it was opened."""


class TooLarge(Exception):
    """A head larger than what is read."""


class NoVersion(Exception):
    """Not HTTP/1: what names no version is HTTP/0.9, which has no headers."""


class BoundedHeads(HttpToolsProtocol):
    """One connection. The bound is `h11_max_incomplete_event_size` of uvicorn's configuration, in
    bytes; what comes in one piece may be somewhat more until it is counted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._largest = self.config.h11_max_incomplete_event_size or 0
        self._in_head = self._is_chunked = self._is_refused = False
        self._size = 0  # of the head, or of all that is chunked
        self._answer = HTTPStatus.BAD_REQUEST
        self._is_last = False  # is there to be no further request?

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or of several."""
        if self._is_refused:
            return
        if self._in_head or self._is_chunked:
            self._size += len(data)
            if self._size > self._largest:
                self._answer = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self.send_400_response("")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request's first bytes."""
        super().on_message_begin()
        self._in_head, self._is_chunked, self._size = True, False, 0

    def on_url(self, url: bytes) -> None:
        """A piece of its target."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers. What follows its body is none."""
        if not self._in_head:
            return
        self._count(name, value)
        self._is_chunked = self._is_chunked or name.lower() == b"transfer-encoding"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of its head."""
        if self.parser.get_http_version() not in VERSIONS:
            raise NoVersion
        self._in_head = False
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """The server stops. What was just opened, or begun, is not hung up on, but answered."""
        asked_before: object | None = self.cycle
        if asked_before is not None and not self._in_head:
            super().shutdown()
            return
        self._is_last = True

        def hang_up() -> None:
            if self.cycle is asked_before:
                self.transport.close()

        self.loop.call_later(BEGUN_WITHIN_S, hang_up)

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be read, and everything after it."""
        self._is_refused = True
        words = REFUSALS[self._answer].encode()
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b"
            % (self._answer, self._answer.phrase.encode(), len(words), words)
        )
        self.transport.close()

    def _count(self, *pieces: bytes) -> None:
        self._size += sum(map(len, pieces))
        if self._size > self._largest:
            self._answer = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise TooLarge
