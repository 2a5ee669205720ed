"""Two services' inboxes and some caches, and what brings them events: the one bus or the other.

The inboxes are in the parcels' database, where their handlers tell them apart.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from uuid import UUID

import aio_pika
from aio_pika.exceptions import AMQPError, DeliveryError
from sqlalchemy import text

from chassis import clock
from chassis.bus import Bus, EmbeddedBus
from chassis.ids import new_id
from chassis.inbox.store import InboxStore
from chassis.rabbit.bus import RabbitBus
from chassis.rabbit.connection import Connection
from chassis.rabbit.consuming import Consumer
from chassis.rabbit.listening import Listener
from chassis.rabbit.standing import stand, told_of
from chassis.rabbit.topology import Topology, topology_of
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.subscriptions import Broadcast, every, on
from chassis.work import UnitOfWork
from contracts.event import Envelope, sealed
from tests.support.parcels.service import ParcelLabelled, ParcelLost, ParcelWeighed
from tests.support.parcels.service import service as parcels_service
from tests.support.postgres import prefix
from tests.support.waiting import eventually, soon

_numbers = count()


async def tell_neighbours(_work: UnitOfWork, _event: ParcelLabelled) -> None:
    """Another service's handler, which no test runs."""


neighbours = Service(
    "neighbours",
    parcels_service.schema,
    (),
    subscriptions=[on(ParcelLabelled, tell_neighbours, every)],
)
SERVICES = (parcels_service, neighbours)


@dataclass
class Carried:
    """A bus, and what is at its other end."""

    bus: Bus
    runtime: Runtime

    async def rows(self, envelopes: Sequence[Envelope]) -> list[tuple[UUID, str]]:
        """What the inboxes hold of these events: ids and handlers, in order."""
        async with self.runtime.database.mover.begin() as connection:
            found = await connection.execute(
                text("SELECT id, handler FROM inbox WHERE id = ANY(:ids) ORDER BY id, handler"),
                {"ids": [one.id for one in envelopes]},
            )
            return [(row[0], row[1]) for row in found]

    async def settled(self, envelopes: Sequence[Envelope], within_s: float = 30) -> None:
        """Wait until every handler of every event has its row, and there is no other."""
        wanted = rows_of(envelopes)

        async def has_all() -> bool:
            return await self.rows(envelopes) == wanted

        await eventually(has_all, within_s)
        assert await self.rows(envelopes) == wanted


def rows_of(envelopes: Sequence[Envelope]) -> list[tuple[UUID, str]]:
    """The rows that these events make in the two inboxes."""
    return sorted(
        {
            (envelope.id, subscription.name)
            for envelope in envelopes
            for service in SERVICES
            for subscription in service.subscriptions
            if envelope.type in {event.type_name() for event in subscription.events}
        }
    )


def an_envelope(event: ParcelLabelled | ParcelWeighed | ParcelLost | None = None) -> Envelope:
    """An event on its way."""
    return sealed(
        event or ParcelLabelled(parcel_id=new_id(), label="livres d’été"),
        id=new_id(),
        tenant=new_id(),
        time=clock.now(),
        version=1,
        epoch=1,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def some_envelopes(number: int) -> list[Envelope]:
    """Events that both services keep, and some that one alone does."""
    return [
        an_envelope(ParcelWeighed(parcel_id=new_id()) if one % 3 == 2 else None)
        for one in range(number)
    ]


def inboxes(runtime: Runtime) -> dict[str, InboxStore]:
    """Each service's."""
    mover = runtime.database.mover
    return {service.name: InboxStore(mover, service.subscriptions) for service in SERVICES}


def embedded(runtime: Runtime, broadcasts: Sequence[Broadcast] = ()) -> Carried:
    """All in one process."""
    bus = EmbeddedBus()
    for inbox in inboxes(runtime).values():
        bus.subscribe(inbox)
    for one in broadcasts:
        bus.listen(one)
    return Carried(bus, runtime)


@dataclass
class OverRabbit(Carried):
    """A RabbitMQ in between, with the consumers and the listener that run."""

    bus: RabbitBus
    topology: Topology
    urls: list[str]
    consumers: dict[str, Consumer]
    listener: Listener
    told: list[str]
    """The services that heard that a queue was made, a name each time."""


@asynccontextmanager
async def over_rabbitmq(
    urls: Sequence[str], runtime: Runtime, broadcasts: Sequence[Broadcast] = ()
) -> AsyncIterator[OverRabbit]:
    """Exchanges and queues of its own at this broker, deleted afterwards."""
    topology = topology_of(SERVICES, f"{prefix()}_{next(_numbers)}")
    await stood(urls[-1], topology)
    bus = RabbitBus(urls, topology)
    told: list[str] = []

    def telling(name: str) -> Callable[[], Awaitable[None]]:
        async def tell() -> None:
            told.append(name)

        return tell

    consumers = {
        name: Consumer(urls, topology, name, inbox, queue_made=telling(name))
        for name, inbox in inboxes(runtime).items()
    }
    listener = Listener(urls, topology, broadcasts)
    stopping = asyncio.Event()
    parts: list[Consumer | Listener] = [*consumers.values(), listener]
    tasks = [asyncio.create_task(one.run(stopping)) for one in parts]
    try:
        assert await soon(lambda: all(one.is_up for one in parts), within_s=60)
        yield OverRabbit(bus, runtime, topology, list(urls), consumers, listener, told)
    finally:
        stopping.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*tasks)
        await bus.close()
        await remove(urls, topology)


async def stood(url: str, topology: Topology) -> None:
    """Have all stand at the broker. A busy one may refuse a message to a queue just made."""
    connection = Connection(url, "tests")
    await connection.open()
    try:
        while True:
            try:
                await stand(connection, topology)
            except DeliveryError:
                continue
            return
    finally:
        await connection.close()


async def remove(urls: Sequence[str], topology: Topology) -> None:
    """Delete what a topology made, at the first node that is there."""
    for url in urls:
        try:
            connection = await aio_pika.connect(url, timeout=5)
        except (OSError, AMQPError, TimeoutError):
            continue
        async with connection:
            channel = await connection.channel()
            for service in topology.kept:
                await channel.queue_delete(topology.queue_of(service))
                await channel.exchange_delete(told_of(topology.queue_of(service)))
            await channel.queue_delete(topology.undecodable_queue)
            await channel.exchange_delete(topology.exchange)
            await channel.exchange_delete(topology.undecodable_exchange)
        return
