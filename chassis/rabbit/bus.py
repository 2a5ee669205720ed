"""The bus over RabbitMQ: an event is published when each service that keeps it has a copy.

One plain channel with confirms, many copies in flight. Whatever is not confirmed in time, comes
back unroutable or fails is unknown: the call raises, the outbox keeps its rows, and the connection
is thrown away. The next begins with the whole topology, so a queue that was missing is there.
"""

import asyncio
from collections.abc import Sequence
from itertools import islice

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractExchange

from chassis.rabbit.connection import Connection, Nodes
from chassis.rabbit.losses import told_as_losses
from chassis.rabbit.messages import message_of
from chassis.rabbit.standing import stand
from chassis.rabbit.topology import Topology
from contracts.event import Envelope

log = structlog.get_logger()


class RabbitBus:
    """Publishes for one process. Several calls at once share the channel, and its end."""

    CONFIRM_S = 8.0
    """Within the publisher's own bound, so that it is we who know that the channel is doubtful."""
    WINDOW = 500

    def __init__(self, urls: Sequence[str], topology: Topology, name: str = "publisher") -> None:
        self._nodes = Nodes(urls, name)
        self._topology = topology
        self._opening = asyncio.Lock()
        self._way: _Way | None = None
        self._ends: set[asyncio.Task[None]] = set()
        self.is_up = True
        """Did the last call go well? A bus that was never asked holds nothing up."""

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Return when the broker has confirmed all; after an exception, send again."""
        way = None
        try:
            with told_as_losses():
                async with asyncio.timeout(self.CONFIRM_S):
                    way = await self._open()
                    await way.send(envelopes, self.WINDOW)
        except BaseException:
            self.is_up = False
            if way is not None:
                self._throw_away(way)
            raise
        self.is_up = True

    async def close(self) -> None:
        """Take leave of the broker."""
        way, self._way = self._way, None
        if way is not None:
            await way.connection.close()
        await asyncio.gather(*self._ends, return_exceptions=True)

    async def _open(self) -> "_Way":
        async with self._opening:
            if self._way is None or self._way.connection.lost.is_set():
                self._way = await self._begin()
            return self._way

    async def _begin(self) -> "_Way":
        connection = await self._nodes.connect()
        try:
            await stand(connection, self._topology)
            channel = await connection.channel(confirms=True)
            heard = await channel.get_exchange(self._topology.exchange, ensure=False)
        except BaseException:
            self._end(connection)
            raise
        return _Way(connection, self._topology, channel.default_exchange, heard)

    def _throw_away(self, way: "_Way") -> None:
        if self._way is way:
            self._way = None
        self._end(way.connection)

    def _end(self, connection: Connection) -> None:
        task = asyncio.create_task(connection.give_up())
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)


class _Way:
    """A channel, and what is published on it."""

    def __init__(
        self,
        connection: Connection,
        topology: Topology,
        queues: AbstractExchange,
        listeners: AbstractExchange,
    ) -> None:
        self.connection = connection
        self._topology = topology
        self._queues = queues
        self._listeners = listeners
        self._is_tried = False

    async def send(self, envelopes: Sequence[Envelope], window: int) -> None:
        """Publish, so many copies at a time."""
        copies = iter(self._copies(envelopes))
        while chunk := list(islice(copies, window if self._is_tried else 1)):
            # A broker short of memory or disk takes a first message and confirms none: one alone,
            # then, until it is known to confirm, for each of them comes again with the next try.
            await asyncio.gather(*(self._publish(*copy) for copy in chunk))
            self._is_tried = True

    def _copies(self, envelopes: Sequence[Envelope]) -> list[tuple[str | None, str, Message]]:
        copies: list[tuple[str | None, str, Message]] = []
        for envelope in envelopes:
            to: list[str | None] = [*self._topology.queues.get(envelope.type, ())]
            if self._topology.is_heard(envelope.type):
                to.append(None)
            if to:
                message = message_of(envelope)
                copies += [(queue, envelope.type, message) for queue in to]
        return copies

    async def _publish(self, queue: str | None, type_name: str, message: Message) -> None:
        if queue is None:
            await self._listeners.publish(message, type_name, mandatory=False)
        else:
            await self._queues.publish(message, queue, mandatory=True)
