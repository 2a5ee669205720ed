"""An SMTP server that takes everything and notes each Message-ID: quick enough to measure against.

In a thread of the test's process (`Sink`), or as a process of its own, which prints its port, and
how many mails and different ones it took for each line that it reads:

    python -m tests.support.smtp_sink
"""

import asyncio
import re
import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import cast

MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^>]+>)")
END = b"\r\n.\r\n"
REPLIES = {b"EHLO": b"250-sink\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n"}


@dataclass(frozen=True)
class Taken:
    """A mail whose final dot came."""

    at: float  # by the monotonic clock
    message_id: str


class SinkProtocol(asyncio.Protocol):
    """One connection. Each text is answered after `delay_s`."""

    def __init__(self, taken: list[Taken], delay_s: float) -> None:
        self._taken = taken
        self._delay_s = delay_s
        self._buffer = bytearray()
        self._in_text = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = cast(asyncio.Transport, transport)  # libuv's are none by their class
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """asyncio's."""
        self._buffer += data
        while True:
            end = self._buffer.find(END if self._in_text else b"\r\n")
            if end < 0:
                return
            piece = bytes(self._buffer[:end])
            del self._buffer[: end + (len(END) if self._in_text else 2)]
            if self._in_text:
                self._in_text = False
                self._take(piece)
            else:
                self._command(piece[:4].upper())

    def _command(self, verb: bytes) -> None:
        self._in_text = verb == b"DATA"
        self._transport.write(REPLIES.get(verb, b"250 ok\r\n"))

    def _take(self, text: bytes) -> None:
        found = MESSAGE_ID.search(text)
        assert found is not None
        self._taken.append(Taken(time.monotonic(), found[1].decode()))
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"250 2.0.0 taken\r\n")


class Sink:
    """Listens on a port of its own, in a thread of its own, for as long as the block lasts."""

    def __init__(self, *, delay_s: float = 0.0) -> None:
        self.taken: list[Taken] = []
        self.port = 0
        self._delay_s = delay_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Sink":
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self.listen(), self._loop)
        self.port = listening.result(timeout=10)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    async def listen(self) -> int:
        """Listen in the running loop. Answers the port."""
        server = await asyncio.get_running_loop().create_server(
            lambda: SinkProtocol(self.taken, self._delay_s), "127.0.0.1", 0
        )
        port: int = server.sockets[0].getsockname()[1]
        self._server = server
        return port


def main() -> None:
    """Serve until the standard input ends."""
    with Sink() as sink:
        print(sink.port, flush=True)  # noqa: T201  # whoever started it reads this
        for _ in sys.stdin:
            count = len(sink.taken)
            print(count, len({one.message_id for one in sink.taken}), flush=True)  # noqa: T201  # read by its caller


if __name__ == "__main__":
    main()
