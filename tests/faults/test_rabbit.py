"""What is done to a broker, and what becomes of the events: nothing is lost, nothing hangs."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from structlog.testing import capture_logs
from yarl import URL

from chassis.ids import new_id
from chassis.outbox import PostgresOutbox
from chassis.publisher import Publisher
from chassis.rabbit import standing
from chassis.rabbit.bus import RabbitBus
from chassis.rabbit.connection import Connection, Unreachable
from chassis.rabbit.consuming import Consumer
from chassis.rabbit.reading import Reading
from chassis.rabbit.standing import stand
from chassis.rabbit.topology import Topology, arguments, topology_of
from chassis.runtime import Runtime
from chassis.subscriptions import Broadcast, broadcast
from contracts.event import Envelope
from tests.support.buses import (
    SERVICES,
    OverRabbit,
    an_envelope,
    over_rabbitmq,
    remove,
    some_envelopes,
)
from tests.support.cut import Proxy, proxied
from tests.support.parcels.service import ParcelLabelled, label_parcel
from tests.support.postgres import prefix
from tests.support.rabbitmq import Cluster, Node, provide_cluster
from tests.support.waiting import eventually, soon

pytestmark = [pytest.mark.xdist_group("rabbitmq"), pytest.mark.timeout(240)]

ALARM = "resource limit alarm set"
SEEN_WITHIN_S = 16
"""A silent node is given up by then."""
IN_DOUBT = (aio_pika.exceptions.AMQPError, RuntimeError, OSError)
"""Of some copies the broker's word is heard, others find channel or connection closed already."""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A broker that may be hurt."""
    cluster = provide_cluster(1)
    yield cluster.nodes[0]
    cluster.close()


class Cache:
    """What it was told, and the snapshots that it loaded."""

    def __init__(self) -> None:
        self.heard: list[Envelope] = []
        self.calls: list[str] = []

    async def hear(self, envelope: Envelope) -> None:
        """Keep it."""
        self.heard.append(envelope)

    async def join(self) -> None:
        """It begins to hear."""
        self.calls.append("joined")

    def lose(self) -> None:
        """It hears no more."""
        self.calls.append("lost")

    @property
    def broadcast(self) -> Broadcast:
        """Its subscription."""
        return broadcast(ParcelLabelled, self.hear, joined=self.join, lost=self.lose)


async def sent(bus: RabbitBus, envelopes: Sequence[Envelope], within_s: float = 60) -> int:
    """Publish as the outbox does, again and again until it goes well. Answers the failures."""
    failures = 0
    async with asyncio.timeout(within_s):
        while True:
            try:
                await bus.publish(envelopes)
            except Exception:
                failures += 1
                await asyncio.sleep(0.1)
            else:
                return failures


@asynccontextmanager
async def behind_a_proxy(
    url: str, parcels: Runtime, *broadcasts: Broadcast, beside: Sequence[str] = ()
) -> AsyncIterator[tuple[Proxy, OverRabbit]]:
    """All that talks with the broker does so through a proxy."""
    address = URL(url)
    assert address.host is not None
    assert address.port is not None
    async with proxied(address.host, address.port) as proxy:
        through = str(address.with_port(proxy.port))
        async with over_rabbitmq([through, *beside], parcels, broadcasts) as carried:
            try:
                yield proxy, carried
            finally:
                proxy.resume()


async def test_a_body_that_is_no_event_is_put_aside(parcels: Runtime, rabbitmq_url: str) -> None:
    told = some_envelopes(6)
    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        queue = carried.topology.queue_of("parcels")
        async with await aio_pika.connect(rabbitmq_url) as connection:
            channel = await connection.channel()
            with capture_logs() as logs:
                await carried.bus.publish(told[:3])
                for body in (b"secret", b'{"secret": 1}', b""):
                    poison = aio_pika.Message(body, headers={"cloudEvents:id": "secret"})
                    await channel.default_exchange.publish(poison, queue)
                await carried.bus.publish(told[3:])
                await carried.settled(told)
                aside = await channel.get_queue(carried.topology.undecodable_queue)
                bodies: list[bytes] = []

                async def three_are_aside() -> bool:
                    message = await aside.get(fail=False, no_ack=True)
                    bodies.extend([message.body] if message else [])
                    return len(bodies) == 3

                assert await eventually(three_are_aside)
        assert sorted(bodies) == [b"", b"secret", b'{"secret": 1}']
        assert carried.consumers["parcels"].undecodable == 3
    assert [one["event"] for one in logs].count("message_undecodable") == 3
    assert "secret" not in str(logs)


async def test_a_value_that_no_column_holds_is_put_aside_alone(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    told = some_envelopes(9)
    poison = an_envelope(ParcelLabelled(parcel_id=told[0].subject, label="secret\x00"))
    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        with capture_logs() as logs:
            await carried.bus.publish([*told[:5], poison, *told[5:]])
            await carried.settled(told)
            assert await soon(lambda: carried.consumers["parcels"].undecodable == 1)
        assert await carried.rows([poison]) == []
    assert "secret" not in str(logs)


async def test_a_deleted_queue_loses_nothing_that_is_published_meanwhile(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    """The other service's queue has it: that confirms nothing for the one that is gone."""
    told = some_envelopes(200)
    failures = 0
    async with (
        over_rabbitmq([rabbitmq_url], parcels) as carried,
        await aio_pika.connect(rabbitmq_url) as connection,
    ):
        channel = await connection.channel()
        await carried.bus.publish(some_envelopes(1))
        for start in range(0, len(told), 10):
            if start % 40 == 0:
                # What is in a queue goes with it: let it be taken first.
                await carried.settled(told[:start])
                await channel.queue_delete(carried.topology.queue_of("neighbours"))
            failures += await sent(carried.bus, told[start : start + 10])
        await carried.settled(told)
        assert carried.consumers["neighbours"].is_up
    assert failures > 0


async def test_every_service_hears_that_a_queue_was_gone_with_what_it_held(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    """So that each sends again what it had published."""
    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        assert await soon(lambda: {"parcels", "neighbours"} <= set(carried.told))  # all were made
        carried.told.clear()
        async with await aio_pika.connect(rabbitmq_url) as connection:
            channel = await connection.channel()
            await channel.queue_delete(carried.topology.queue_of("neighbours"))
        assert await soon(lambda: {"parcels", "neighbours"} <= set(carried.told))
        told = some_envelopes(3)
        await sent(carried.bus, told)
        await carried.settled(told)


async def test_whoever_ends_before_it_has_told_of_a_queue_leaves_that_to_the_next(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(Exception):
        """So did the process."""

    async def end(*_: object) -> None:
        raise Ended

    topology = topology_of(SERVICES, f"{prefix()}_untold")
    connection = Connection(rabbitmq_url, "tests")
    await connection.open()
    try:
        for known in (False, True):
            if known:
                channel = await connection.channel()
                for service in topology.kept:
                    await channel.queue_delete(topology.queue_of(service))
            with monkeypatch.context() as patch:
                patch.setattr(standing, "_tell", end)
                with pytest.raises(Ended):
                    await stand(connection, topology)
            assert await waiting(connection, topology) == [0, 0]
            await stand(connection, topology)
            assert await waiting(connection, topology) == [1, 1]
            await stand(connection, topology)
            assert await waiting(connection, topology) == [1, 1]
    finally:
        await connection.close()
        await remove([rabbitmq_url], topology)


async def waiting(connection: Connection, topology: Topology) -> list[int]:
    """How many messages are in each service's queue."""
    channel = await connection.channel()
    queues = [await channel.get_queue(topology.queue_of(name)) for name in topology.kept]
    await channel.close()
    return [one.declaration_result.message_count or 0 for one in queues]


async def test_a_queue_made_anew_leaves_no_consumer_behind(
    parcels: Runtime, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RabbitMQ 3.10 mostly says nothing to its consumers, and keeps for them what it holds."""
    monkeypatch.setattr(Consumer, "QUIET_S", 0.5)
    async with (
        over_rabbitmq([rabbitmq_url], parcels) as carried,
        await aio_pika.connect(rabbitmq_url) as connection,
    ):
        channel = await connection.channel()
        queue = carried.topology.queue_of("neighbours")
        for _ in range(8):
            await channel.queue_delete(queue)
            await channel.declare_queue(queue, durable=True, arguments=arguments(carried.topology))
            told = some_envelopes(3)
            await sent(carried.bus, told)
            await carried.settled(told)


async def test_a_quiet_consumer_asks_again_and_stays_up(
    parcels: Runtime, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Consumer, "QUIET_S", 0.01)
    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        with capture_logs() as logs:
            for _ in range(20):
                told = some_envelopes(30)
                await carried.bus.publish(told)
                await carried.settled(told)
                assert all(one.is_up for one in carried.consumers.values())
        assert logs == []


async def test_a_cancellation_that_the_library_lets_out_is_a_lost_connection(
    parcels: Runtime, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiormq cancels what is under way on a connection that ends, and lets some of that out."""
    let_out: list[str] = []
    opened = aio_pika.Channel.initialize
    taken = Consumer._take

    async def opens(channel: aio_pika.Channel, timeout_s: float | None = None) -> None:
        if len(let_out) < 6:
            let_out.append("channel")
            raise asyncio.CancelledError
        await opened(channel, timeout_s)

    async def takes(
        consumer: Consumer, messages: Sequence[AbstractIncomingMessage], read: Reading
    ) -> None:
        if let_out.count("take") < 2:
            let_out.append("take")
            raise asyncio.CancelledError
        await taken(consumer, messages, read)

    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        monkeypatch.setattr(Consumer, "_take", takes)
        monkeypatch.setattr(aio_pika.Channel, "initialize", opens)
        told = some_envelopes(3)
        assert await sent(carried.bus, told) > 0
        await carried.settled(told)
        assert {"channel", "take"} <= set(let_out)


async def test_who_is_cancelled_publishes_no_more(parcels: Runtime, rabbitmq_url: str) -> None:
    """A cancellation of one's own stays one."""
    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        publishing = asyncio.create_task(carried.bus.publish(some_envelopes(300)))
        await asyncio.sleep(0)
        publishing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publishing


async def test_a_connection_that_is_lost_is_no_queue_that_was_gone(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    async with behind_a_proxy(rabbitmq_url, parcels) as (proxy, carried):
        assert await soon(lambda: {"parcels", "neighbours"} <= set(carried.told))
        carried.told.clear()
        proxy.cut()
        told = some_envelopes(3)
        await sent(carried.bus, told)
        await carried.settled(told)
        assert carried.told == []


async def test_without_its_queue_an_event_is_not_published(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    """No consumer runs that would make it anew."""
    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        topology = carried.topology
    bus = RabbitBus([rabbitmq_url], topology)
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        try:
            await bus.publish([an_envelope()])
            await channel.queue_delete(topology.queue_of("neighbours"))
            with pytest.raises(aio_pika.exceptions.PublishError):
                await bus.publish([an_envelope()])
            assert not bus.is_up
            await bus.publish([an_envelope()])
            assert bus.is_up
            queue = await channel.get_queue(topology.queue_of("neighbours"))
            assert queue.declaration_result.message_count == 2  # and word that it was made
        finally:
            await bus.close()
            await remove([rabbitmq_url], topology)


async def test_a_channel_closed_by_the_broker_is_not_used_again(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    told = some_envelopes(20)
    async with (
        over_rabbitmq([rabbitmq_url], parcels) as carried,
        await aio_pika.connect(rabbitmq_url) as connection,
    ):
        await carried.bus.publish(told[:1])
        channel = await connection.channel()
        await channel.exchange_delete(carried.topology.exchange)
        with pytest.raises(IN_DOUBT):
            await carried.bus.publish(told)
        await carried.bus.publish(told)
        await carried.settled(told)


async def test_a_cut_connection_is_made_anew(parcels: Runtime, rabbitmq_url: str) -> None:
    told = some_envelopes(120)
    cache = Cache()
    async with behind_a_proxy(rabbitmq_url, parcels, cache.broadcast) as (proxy, carried):
        for start in range(0, len(told), 30):
            publishing = asyncio.create_task(sent(carried.bus, told[start : start + 30]))
            await asyncio.sleep(0)
            proxy.cut()
            await publishing
        await carried.settled(told)
        assert await soon(lambda: carried.listener.is_up)
        assert await soon(lambda: cache.calls.count("joined") == cache.calls.count("lost") + 1)
    assert cache.calls.count("lost") > 1
    assert cache.calls[-1] == "lost"


async def test_a_silent_broker_is_given_up_and_another_node_tried(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    """Both directions fall silent; nothing is closed."""
    told = some_envelopes(60)
    cache = Cache()
    around = behind_a_proxy(rabbitmq_url, parcels, cache.broadcast, beside=[rabbitmq_url])
    async with around as (proxy, carried):
        await carried.bus.publish(told[:20])
        await carried.settled(told[:20])
        began = time.monotonic()
        proxy.pause()
        failures = await sent(carried.bus, told[20:40])
        assert time.monotonic() - began < RabbitBus.CONFIRM_S + 5
        assert failures == 1
        assert await soon(lambda: "lost" in cache.calls, SEEN_WITHIN_S)
        assert await soon(lambda: cache.calls[-1] == "joined")
        assert time.monotonic() - began < 2 * SEEN_WITHIN_S
        await carried.settled(told[:40])
        assert carried.listener.is_up
        assert all(one.is_up for one in carried.consumers.values())
        heard = len(cache.heard)
        await carried.bus.publish(told[40:])
        await carried.settled(told)
        assert await soon(lambda: len(cache.heard) > heard)


async def test_a_silent_broker_that_speaks_again_finds_all(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    told = some_envelopes(40)
    async with behind_a_proxy(rabbitmq_url, parcels) as (proxy, carried):
        await carried.bus.publish(told[:10])
        proxy.pause()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await carried.bus.publish(told[10:])
        assert time.monotonic() - began < RabbitBus.CONFIRM_S + 3
        assert not carried.bus.is_up
        assert await soon(lambda: not any(one.is_up for one in carried.consumers.values()))
        proxy.resume()
        await sent(carried.bus, told[10:])
        await carried.settled(told)


@pytest.mark.parametrize(
    ("bound", "alarm", "well"),
    [
        ("set_vm_memory_high_watermark", ("absolute", "1MB"), ("absolute", "1GB")),
        ("set_disk_free_limit", ("100000GB",), ("10MB",)),
    ],
    ids=["memory", "disk"],
)
async def test_a_broker_short_of_room_keeps_the_outbox_waiting(
    parcels: Runtime, node: Node, bound: str, alarm: tuple[str, ...], well: tuple[str, ...]
) -> None:
    told = some_envelopes(90)
    async with over_rabbitmq([node.url], parcels) as carried:
        await carried.bus.publish(told[:30])
        alarms = node.told().count(ALARM)
        await asyncio.to_thread(node.ctl, bound, *alarm)
        try:
            assert await soon(lambda: node.told().count(ALARM) > alarms)
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(TimeoutError):
                    await carried.bus.publish(told[30:])
                assert time.monotonic() - began < RabbitBus.CONFIRM_S + 3
            # Consumers go on: what is stored makes room.
            await carried.settled(told[:30])
        finally:
            await asyncio.to_thread(node.ctl, bound, *well)
        await sent(carried.bus, told[30:])
        await carried.settled(told)


async def test_a_publisher_knows_the_broker_again_though_nothing_is_left_to_publish(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    """Another process of the service may have taken what this one could not publish."""
    async with parcels.database.begin(new_id()) as work:
        await label_parcel(work, "livres")
    async with behind_a_proxy(rabbitmq_url, parcels) as (proxy, carried):
        proxy.pause()
        carried.bus.CONFIRM_S = 0.3
        publisher = Publisher(PostgresOutbox(parcels.database), carried.bus)
        running = asyncio.create_task(publisher.run())
        try:
            assert await soon(lambda: not carried.bus.is_up)
            assert await eventually(parcels.publisher.drain)
            del carried.bus.CONFIRM_S
            proxy.resume()
            assert await soon(lambda: carried.bus.is_up)
        finally:
            publisher.stop()
            await running


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_broker_that_ends_and_comes_back_loses_nothing(
    parcels: Runtime, node: Node, how: str
) -> None:
    told = some_envelopes(120)
    cache = Cache()
    async with over_rabbitmq([node.url], parcels, [cache.broadcast]) as carried:
        await carried.bus.publish(told[:40])
        await asyncio.to_thread(node.write_out)
        publishing = asyncio.create_task(sent(carried.bus, told[40:], within_s=200))
        await asyncio.to_thread(getattr(node, how))
        assert await soon(lambda: cache.calls[-1:] == ["lost"])
        with pytest.raises((*IN_DOUBT, Unreachable, TimeoutError)):
            await carried.bus.publish(told)
        await asyncio.to_thread(node.start)
        await publishing
        await carried.settled(told)
        assert await soon(lambda: cache.calls == ["joined", "lost", "joined"])


async def test_what_is_told_while_a_cache_loads_is_applied_afterwards(
    parcels: Runtime, rabbitmq_url: str
) -> None:
    told = [an_envelope() for _ in range(5)]
    loading, loaded = asyncio.Event(), asyncio.Event()
    order: list[object] = []
    attempts = 0

    async def load() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ConnectionRefusedError
        loading.set()
        await loaded.wait()
        order.append("snapshot")

    async def hear(envelope: Envelope) -> None:
        order.append(envelope.id)

    slow = broadcast(ParcelLabelled, hear, joined=load)
    quick = Cache()
    async with over_rabbitmq([rabbitmq_url], parcels, [slow, quick.broadcast]) as carried:
        async with asyncio.timeout(20):
            await loading.wait()
        await carried.bus.publish(told)
        assert await soon(lambda: len(quick.heard) == len(told))
        assert order == []
        loaded.set()
        assert await soon(lambda: len(order) == len(told) + 1)
    assert order == ["snapshot", *(one.id for one in told)]


async def test_messages_wait_while_the_database_is_away(
    parcels: Runtime, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = some_envelopes(30)
    async with over_rabbitmq([rabbitmq_url], parcels) as carried:
        consumer = carried.consumers["parcels"]
        inbox = consumer._inbox
        store, refused = inbox.store, 0

        async def refuse(envelopes: Sequence[Envelope]) -> None:
            nonlocal refused
            refused += 1
            if refused <= 3:
                raise ConnectionRefusedError
            await store(envelopes)

        monkeypatch.setattr(inbox, "store", refuse)
        await carried.bus.publish(told)
        await carried.settled(told)
        assert refused > 3
        assert consumer.is_up


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three nodes, of which one may be killed at a time."""
    three = provide_cluster()
    yield three
    three.close()


async def test_a_killed_node_of_three_loses_nothing(parcels: Runtime, cluster: Cluster) -> None:
    """All were connected to the first, which leads the queues that were declared there."""
    told = some_envelopes(160)
    cache = Cache()
    async with over_rabbitmq(cluster.urls, parcels, [cache.broadcast]) as carried:
        await carried.bus.publish(told[:40])
        publishing = asyncio.create_task(sent(carried.bus, told[40:120], within_s=100))
        await asyncio.to_thread(cluster.nodes[0].kill)
        await publishing
        await carried.settled(told[:120], within_s=60)
        await sent(carried.bus, told[120:])
        await carried.settled(told)
        assert await soon(lambda: cache.calls == ["joined", "lost", "joined"])
