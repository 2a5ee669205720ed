"""A broker in memory that loses, doubles, delays and reorders, and what speaks with it.

The consumer is the real one from the message on: it decodes, stores, and acknowledges.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from aio_pika.abc import AbstractIncomingMessage

from chassis.inbox.store import InboxStore
from chassis.rabbit.consuming import Consumer
from chassis.rabbit.messages import message_of
from chassis.rabbit.reading import Reading
from chassis.rabbit.topology import Topology
from contracts.event import Envelope
from tests.simulation.memory import Deadlock
from tests.simulation.world import CURRENT, ConnectionLost, Process, World

MOST_AT_ONCE = 4


@dataclass
class Queue:
    """What waits for one service, and what its consumers have not acknowledged."""

    types: frozenset[str]
    ready: list[Envelope] = field(default_factory=list)
    channels: list["Channel"] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_empty(self) -> bool:
        """Is nothing left?"""
        return not self.ready and not any(channel.unacknowledged for channel in self.channels)

    def holds(self, envelope: Envelope) -> bool:
        """Is the event here?"""
        ids = {one.id for one in self.ready}
        for channel in self.channels:
            ids.update(message.envelope.id for message in channel.unacknowledged)
        return envelope.id in ids

    def put(self, envelope: Envelope) -> None:
        """It has arrived."""
        self.ready.append(envelope)
        self.news.set()


class Broker:
    """A queue for each service."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queues: dict[str, Queue] = {}
        self.acknowledged: Callable[[str, Envelope], None] = lambda _service, _envelope: None
        world.when_dead.append(self._abandon)

    def expect(self, service: str, types: frozenset[str]) -> None:
        """Have a queue for a service from now on."""
        self.queues[service] = Queue(types)

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """`chassis.bus.Bus`: after an exception nobody knows what has arrived where."""
        world = self.world
        for envelope in envelopes:
            await world.step("publish", envelope.type, envelope.id)
            for queue in self.queues.values():
                if envelope.type in queue.types:
                    if world.chance(world.faults.lose_message):
                        world.tell("message lost")
                        raise ConnectionLost
                    queue.put(envelope)
                    if world.chance(world.faults.double_message):
                        queue.put(envelope)
        await world.step("confirm", len(envelopes))

    def _abandon(self, process: Process) -> None:
        for queue in self.queues.values():
            for channel in queue.channels:
                if channel.process is process:
                    self.world.loop.call_later(0.05, channel.lose)


class Channel:
    """One consumer's way to its queue."""

    def __init__(self, broker: Broker, service: str) -> None:
        self.broker = broker
        self.world = broker.world
        self.service = service
        self.queue = broker.queues[service]
        self.process = CURRENT.get()
        self.unacknowledged: list[Carried] = []
        self.queue.channels.append(self)

    async def some(self) -> list["Carried"]:
        """What is delivered next, perhaps not in order."""
        while not self.queue.ready:
            self.queue.news.clear()
            await self.queue.news.wait()
        await self.world.step("deliver")
        messages: list[Carried] = []
        for _ in range(self.world.random.randint(1, MOST_AT_ONCE)):
            if self.queue.ready:
                at = 0
                if self.world.chance(self.world.faults.reorder):
                    at = self.world.random.randrange(len(self.queue.ready))
                messages.append(Carried(self, self.queue.ready.pop(at)))
        self.unacknowledged += messages
        return messages

    def lose(self) -> None:
        """What was not acknowledged is there again."""
        lost, self.unacknowledged = self.unacknowledged, []
        if self in self.queue.channels:
            self.queue.channels.remove(self)
        for message in lost:
            self.queue.put(message.envelope)


class Carried:
    """A delivered message, as much of it as the consumer touches."""

    def __init__(self, channel: Channel, envelope: Envelope) -> None:
        self.channel = channel
        self.envelope = envelope
        sent = message_of(envelope)
        self.headers: dict[str, Any] = dict(sent.headers)
        self.body = sent.body
        self.type = sent.type

    async def ack(self, multiple: bool = False) -> None:
        """It, and with `multiple` all delivered before it, need not come again."""
        channel, world = self.channel, self.channel.world
        await world.step("acknowledge")
        if self not in channel.unacknowledged:
            raise ConnectionLost
        until = channel.unacknowledged.index(self) + 1
        done = channel.unacknowledged[:until] if multiple else [self]
        channel.unacknowledged = [one for one in channel.unacknowledged if one not in done]
        for message in done:
            channel.broker.acknowledged(channel.service, message.envelope)
            if world.chance(world.faults.double_message):
                channel.queue.put(message.envelope)


class MemoryConsumer(Consumer):
    """The consumer, but for how messages reach it."""

    def __init__(self, broker: Broker, service: str, inbox: InboxStore) -> None:
        topology = Topology("simulation", {service: broker.queues[service].types})
        super().__init__(["amqp://memory"], topology, service, inbox)
        self._broker = broker
        self._service = service

    async def run(self, stopping: asyncio.Event) -> None:
        """Until the run is over."""
        while not stopping.is_set():
            channel = Channel(self._broker, self._service)
            try:
                while True:
                    messages = await channel.some()
                    await self._take(cast(list[AbstractIncomingMessage], messages), Reading())
            except (ConnectionLost, Deadlock, TimeoutError):
                channel.lose()
                await asyncio.sleep(0.1)
            except Exception as error:  # no fault that the run brought about
                self._broker.world.check(False, "the consumer goes on", repr(error))
