"""A TCP proxy that can fall silent as a broken network does: nothing is closed, nothing arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 65536


class Proxy:
    """Hands bytes on, both ways, until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def pause(self) -> None:
        """Swallow nothing and hand on nothing: each side believes that the other is slow.

        New connections are taken, as by a machine whose packets are dropped behind it.
        """
        self._may_pass.clear()

    def resume(self) -> None:
        """Hand on again, first what has waited."""
        self._may_pass.set()

    @property
    def open(self) -> int:
        """How many connections it has now."""
        return len(self._tasks)

    def cut(self) -> None:
        """Reset every connection. New ones are served."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """End all."""
        if self._server is not None:
            self._server.close()
        self.resume()
        while self._tasks:  # they end by themselves; one that is cancelled is told by asyncio
            self.cut()
            await asyncio.wait(set(self._tasks), timeout=0.05)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        other: asyncio.StreamWriter | None = None
        try:
            await self._may_pass.wait()
            back, other = await asyncio.open_connection(*self._target)
            self._writers.add(other)
            ways = [
                asyncio.create_task(self._hand_on(reader, other)),
                asyncio.create_task(self._hand_on(back, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                await self._may_pass.wait()
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            self._tasks.discard(task)
            for one in filter(None, (writer, other)):
                self._writers.discard(one)
                one.transport.abort()

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._may_pass.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass


@asynccontextmanager
async def proxied(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy before this address."""
    proxy = Proxy(host, port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
