"""Notices (NOTIFY and LISTEN): what tells the processes on one database that there is work.

A notice says no more than that, and may be lost: whoever hears it looks for the work, and looks now
and then by itself. It is given after the commit and on a connection of its own, since NOTIFY within
a transaction takes a lock that the whole server shares.
"""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog

log = structlog.get_logger()

CONNECT_WITHIN_S = 5.0
TELL_WITHIN_S = 5.0
LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


async def hear(url: str, channel: str, heard: Callable[[], None], *, application: str) -> None:
    """Call `heard` at each notice, and once whenever some may have been missed. Until cancelled."""
    while True:
        try:
            connection = await _connect(url, application)
            lost = asyncio.Event()
            connection.add_termination_listener(lambda *_, lost=lost: lost.set())
            try:
                await connection.add_listener(channel, lambda *_: heard())
                heard()
                await lost.wait()
            finally:
                connection.terminate()
        except LOST as error:
            log.debug("listener_lost", channel=channel, error=type(error).__name__)
        await asyncio.sleep(1.0)


async def tell(url: str, channel: str, *, application: str) -> None:
    """Give one notice. Raises what connecting raises."""
    connection = await _connect(url, application)
    try:
        await _notify(connection, channel)
    finally:
        await connection.close(timeout=TELL_WITHIN_S)


class Bell:
    """Gives notices for one process, over a connection that it keeps. Rung often, it tells once."""

    EVERY_S = 0.02

    def __init__(self, url: str, channel: str, *, application: str) -> None:
        self._url = url
        self._channel = channel
        self._application = application
        self._rung = asyncio.Event()
        self._connection: asyncpg.Connection | None = None

    def ring(self) -> None:
        """There is work."""
        self._rung.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Tell whenever it is rung, until `stopping` is set. What can't be told is not told."""
        heeding = asyncio.create_task(self._heed(stopping))
        try:
            while not stopping.is_set():
                await self._rung.wait()
                self._rung.clear()
                if stopping.is_set():
                    return  # a database that is away would hold up the end; who hears looks too
                try:
                    await self._tell()
                except LOST as error:
                    log.debug("notice_lost", channel=self._channel, error=type(error).__name__)
                    self._let_go()
                await asyncio.sleep(self.EVERY_S)
        finally:
            heeding.cancel()
            self._let_go()

    async def _heed(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._rung.set()

    async def _tell(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await _connect(self._url, self._application)
        await _notify(self._connection, self._channel)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


async def _connect(url: str, application: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        url, timeout=CONNECT_WITHIN_S, server_settings={"application_name": application}
    )


async def _notify(connection: asyncpg.Connection, channel: str) -> None:
    await connection.execute(f"NOTIFY {channel}", timeout=TELL_WITHIN_S)
