"""A pooled connection whose server says its last words, and whose end has not come yet."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest
from sqlalchemy import text

from chassis.database.connection import create_engine, is_away

FATAL = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"
LAST_WORDS = b"E" + (len(FATAL) + 4).to_bytes(4, "big") + FATAL


class Between:
    """Carries bytes between clients and the server, and can speak in the server's place."""

    def __init__(self, host: str, port: int) -> None:
        self._server_at = (host, port)
        self._clients: list[asyncio.StreamWriter] = []
        self._carrying: set[asyncio.Task[None]] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        server_reader, server_writer = await asyncio.open_connection(*self._server_at)
        self._clients.append(writer)
        for source, target in ((reader, server_writer), (server_reader, writer)):
            task = asyncio.create_task(_copy(source, target))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def say_last_words(self) -> None:
        """To every client, as a server that goes down; the connection stays open."""
        for writer in self._clients:
            writer.write(LAST_WORDS)
            await writer.drain()

    async def close(self) -> None:
        """Carry nothing more."""
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        for writer in self._clients:
            writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


@pytest.fixture
async def between(postgres_url: str) -> AsyncIterator[tuple[Between, str]]:
    """Somebody in between, and the URL of the server by them."""
    url = urlsplit(postgres_url)
    assert url.hostname is not None
    middle = Between(url.hostname, url.port or 5432)
    listener = await asyncio.start_server(middle.carry, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    user, at, _ = url.netloc.rpartition("@")
    yield middle, urlunsplit(url._replace(netloc=f"{user}{at}127.0.0.1:{port}"))
    listener.close()
    await middle.close()


async def test_a_connection_that_was_told_of_its_end_counts_as_away_and_is_not_used_again(
    between: tuple[Between, str],
) -> None:
    middle, url = between
    engine = create_engine(url, size=1, application="test")
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1"))
        await middle.say_last_words()
        await asyncio.sleep(0.2)  # it has read them before it is used
        with pytest.raises(Exception, match="another operation") as raised:
            async with engine.begin() as connection:
                await connection.execute(text("SELECT 1"))
        assert is_away(raised.value)
        async with engine.begin() as connection:
            assert (await connection.execute(text("SELECT 2"))).scalar_one() == 2
    finally:
        await engine.dispose()
