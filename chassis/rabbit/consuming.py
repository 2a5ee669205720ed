"""A service's consumer: stores what comes in the service's inbox, acknowledges, nothing else.

What was delivered together is stored in one transaction and acknowledged by one frame. Where the
database is away nothing is acknowledged, and the broker sends no more than the prefetch.

A queue that is deleted and made anew at once may keep its consumers without a word: RabbitMQ 3.10
then hands what comes to their channels and delivers none of it. So who has heard nothing for a
while asks again on a new channel, and the end of the old one frees what it held.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from aio_pika.abc import AbstractIncomingMessage
from sqlalchemy.exc import DBAPIError

from chassis.inbox.store import InboxStore
from chassis.rabbit.connection import Connection, Nodes, Pause
from chassis.rabbit.losses import told_as_losses
from chassis.rabbit.messages import Undecodable, envelope_of
from chassis.rabbit.reading import Reading, reading
from chassis.rabbit.standing import stand, tells_of_a_queue
from chassis.rabbit.topology import Topology
from contracts.event import Envelope

log = structlog.get_logger()

DATA_EXCEPTION = "22"
"""The class of SQLSTATEs that tell of a value which PostgreSQL can't hold, such as U+0000."""


async def nothing() -> None:
    """What a service does of a queue that was gone, where it publishes nothing."""


@dataclass(frozen=True)
class Delivered:
    """An event, and the message that brought it."""

    message: AbstractIncomingMessage
    envelope: Envelope


class Consumer:
    """One process's consumer of a service's queue. Several may run, in as many processes."""

    PREFETCH = 500
    STORE_S = 10.0
    ACKNOWLEDGE_S = 5.0
    QUIET_S = 5.0
    """Without a message for as long, it asks for them again."""

    def __init__(
        self,
        urls: Sequence[str],
        topology: Topology,
        service: str,
        inbox: InboxStore,
        *,
        queue_made: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        self._nodes = Nodes(urls, f"{service} consumer")
        self._topology = topology
        self._queue = topology.queue_of(service)
        self._inbox = inbox
        self._queue_made = queue_made
        self.is_up = False
        """Does it hear from the broker?"""
        self.stored = 0
        self.undecodable = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until stopped. Outlives the absences of broker and database."""
        pause = Pause()
        while not stopping.is_set():
            try:
                connection = await self._nodes.connect()
                try:
                    with told_as_losses():
                        await self._consume(connection, stopping, pause)
                finally:
                    self.is_up = False
                    await connection.close()
            except Exception as error:
                log.warning("consumer_paused", queue=self._queue, error=type(error).__name__)
            if not stopping.is_set():
                await pause.wait(stopping)

    async def _consume(self, connection: Connection, stopping: asyncio.Event, pause: Pause) -> None:
        """Until stopping, or until the broker is lost or has cancelled us: raises then."""
        await stand(connection, self._topology)
        while not stopping.is_set():
            channel = await connection.channel()
            async with asyncio.timeout(self.ACKNOWLEDGE_S):
                await channel.set_qos(prefetch_count=self.PREFETCH)
            async with reading(connection, channel, self._queue, stopping) as read:
                self.is_up = True
                pause.reset()
                await self._take_until_quiet(read)
            async with asyncio.timeout(self.ACKNOWLEDGE_S):
                await channel.close()

    async def _take_until_quiet(self, read: Reading) -> None:
        """What is there is stored even as the reading ends: it may be all that is left of it."""
        while True:
            try:
                async with asyncio.timeout(self.QUIET_S):
                    messages = await read.some()
            except TimeoutError:
                return
            if not messages:
                return
            await self._take(messages, read)

    async def _take(self, messages: Sequence[AbstractIncomingMessage], read: Reading) -> None:
        events = [one for one in messages if not await self._was_told(one)]
        delivered = [one for message in events if (one := await self._decoded(message))]
        pause = Pause()
        while delivered:
            try:
                async with asyncio.timeout(self.STORE_S):
                    await self._inbox.store([one.envelope for one in delivered])
                break
            except DBAPIError as error:
                if is_of_data(error):
                    delivered = [one for one in delivered if await self._stored(one)]
                    break
                await self._wait(error, pause, read)
            except Exception as error:
                await self._wait(error, pause, read)
        if delivered:
            self.stored += len(delivered)
            async with asyncio.timeout(self.ACKNOWLEDGE_S):
                await delivered[-1].message.ack(multiple=True)

    async def _was_told(self, message: AbstractIncomingMessage) -> bool:
        """Is it word of a queue that was gone? Acknowledged once what follows of it is done."""
        if not tells_of_a_queue(message):
            return False
        await self._queue_made()
        async with asyncio.timeout(self.ACKNOWLEDGE_S):
            await message.ack()
        return True

    async def _decoded(self, message: AbstractIncomingMessage) -> Delivered | None:
        try:
            return Delivered(message, envelope_of(message.headers, message.body))
        except Undecodable as reason:
            await self._put_aside(message, str(reason))
            return None

    async def _stored(self, one: Delivered) -> bool:
        """Store one of several of which PostgreSQL can't hold one. Puts that one aside."""
        try:
            async with asyncio.timeout(self.STORE_S):
                await self._inbox.store([one.envelope])
        except DBAPIError as error:
            if not is_of_data(error):
                raise
            await self._put_aside(one.message, "value")
            return False
        return True

    async def _put_aside(self, message: AbstractIncomingMessage, reason: str) -> None:
        self.undecodable += 1
        log.error(
            "message_undecodable",
            queue=self._queue,
            what=reason,
            size_bytes=len(message.body),
            count=self.undecodable,
        )
        async with asyncio.timeout(self.ACKNOWLEDGE_S):
            await message.reject(requeue=False)

    async def _wait(self, error: Exception, pause: Pause, read: Reading) -> None:
        """Until the database may be back. Raises where nothing is left to wait for."""
        log.warning("inbox_not_stored", queue=self._queue, error=type(error).__name__)
        if read.is_over.is_set():
            raise error
        await pause.wait(read.is_over)


def is_of_data(error: DBAPIError) -> bool:
    """Does PostgreSQL refuse a value, so that trying again won't help?"""
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(DATA_EXCEPTION)
