"""What the broker delivers, taken as it has gathered, until the reading is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from chassis.rabbit.connection import Connection

CONSUME_S = 5.0


class Interrupted(Exception):
    """The broker was lost, closed the channel, or cancelled us since the queue was deleted."""


class Reading:
    """Messages of one queue. `is_over` is set when no more will come."""

    def __init__(self) -> None:
        self._messages: list[AbstractIncomingMessage] = []
        self._news = asyncio.Event()
        self._is_interrupted = False
        self.is_over = asyncio.Event()

    async def some(self) -> list[AbstractIncomingMessage]:
        """What has come since, at least one; none when stopped. Raises Interrupted.

        What came before the end is handed out first.
        """
        while not self._messages:
            if self._is_interrupted:
                raise Interrupted
            if self.is_over.is_set():
                return []
            self._news.clear()
            await self._news.wait()
        taken, self._messages = self._messages, []
        return taken

    async def take(self, message: AbstractIncomingMessage) -> None:
        """One more."""
        self._messages.append(message)
        self._news.set()

    def stop(self) -> None:
        """No more is wanted."""
        self.is_over.set()
        self._news.set()

    def interrupt(self) -> None:
        """No more will come."""
        if not self.is_over.is_set():
            self._is_interrupted = True
        self.stop()


@asynccontextmanager
async def reading(
    connection: Connection,
    channel: AbstractChannel,
    queue: str,
    stopping: asyncio.Event,
    *,
    acknowledged: bool = True,
) -> AsyncIterator[Reading]:
    """Read a queue within the block. Raises Interrupted if it ends before it is stopped."""
    read = Reading()

    async def stop() -> None:
        await stopping.wait()
        read.stop()

    async def lose() -> None:
        await connection.lost.wait()
        read.interrupt()

    watchers = [asyncio.create_task(stop()), asyncio.create_task(lose())]
    try:
        channel.close_callbacks.add(lambda *_: read.interrupt())
        below = await channel.get_underlay_channel()
        below.on_consumer_cancel_callbacks.add(lambda _: read.interrupt())
        async with asyncio.timeout(CONSUME_S):
            wanted = await channel.get_queue(queue, ensure=False)
            await wanted.consume(read.take, no_ack=not acknowledged)
        yield read
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
