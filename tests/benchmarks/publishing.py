"""Publishing from the outbox over RabbitMQ, against its client's bare publish, 500 in flight.

Both hand the same messages to one quorum queue with confirms; ours claims them from the outbox,
reads them, and marks them sent. Each event has one queue here, and nobody listens.
"""

import asyncio
import os

import aio_pika
from sqlalchemy import text

from chassis.ids import new_id
from chassis.outbox import PostgresOutbox
from chassis.publisher import Publisher
from chassis.rabbit.bus import RabbitBus
from chassis.rabbit.messages import message_of
from chassis.rabbit.topology import topology_of
from contracts.event import Envelope
from guichet.serving import run_until_done
from tests.benchmarks.ground import Ground, on_ground
from tests.benchmarks.rounds import Meter, Round, profile, take_turns
from tests.support import rabbitmq
from tests.support.parcels.service import service
from tests.support.postgres import prefix

COUNT = 5_000

FILL = text("""
    INSERT INTO outbox (tenant_id, id, concerned, envelope)
    SELECT :tenant, id, ARRAY[id],
        jsonb_build_object(
            'id', id, 'source', 'parcels', 'type', 'parcels.ParcelLabelled.v1', 'subject', id,
            'time', now(), 'dataschema', 'guichet:parcels.ParcelLabelled.v1',
            'tenant', CAST(:tenant AS uuid), 'version', 1, 'epoch', 1,
            'data', jsonb_build_object('parcel_id', id, 'label', repeat('a', 400)))
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, CAST(:count AS integer))) AS made
""")


async def measure(ground: Ground, broker_url: str) -> None:
    """Compare, then say where our time goes."""
    tenant = new_id()
    topology = topology_of([service], prefix(), heard=())
    bus = RabbitBus([broker_url], topology)
    publisher = Publisher(PostgresOutbox(ground.database), bus)
    connection = await aio_pika.connect(broker_url)
    channel = await connection.channel(publisher_confirms=True)

    async def fill() -> None:
        async with ground.database.mover.begin() as opened:
            await opened.execute(text("DELETE FROM outbox"))
            await opened.execute(FILL, {"tenant": tenant, "count": COUNT})

    async def ours() -> Round:
        await fill()
        meter = Meter()
        count = await publisher.drain()
        return meter.read(count)

    await fill()
    async with PostgresOutbox(ground.database).begin() as transaction:
        envelopes: list[Envelope] = await transaction.claim(COUNT)
    assert await publisher.drain() == COUNT  # which declares the queue
    (queue,) = topology.queues["parcels.ParcelLabelled.v1"]

    async def peer() -> Round:
        messages = [message_of(one) for one in envelopes]
        meter = Meter()
        for start in range(0, COUNT, RabbitBus.WINDOW):
            await asyncio.gather(
                *(
                    channel.default_exchange.publish(message, queue)
                    for message in messages[start : start + RabbitBus.WINDOW]
                )
            )
        return meter.read(COUNT)

    await take_turns({"from the outbox": ours, "aio-pika, bare": peer}, peer="aio-pika, bare")
    await profile("publishing", ours)
    await channel.queue_delete(queue)
    await connection.close()
    await bus.close()


async def main() -> None:
    """On servers of its own, unless the environment names some."""
    broker = None if rabbitmq.ADDRESS in os.environ else rabbitmq.provide()
    url = os.environ[rabbitmq.ADDRESS] if broker is None else broker.url
    try:
        async with on_ground(service) as ground:
            await measure(ground, url)
    finally:
        if broker is not None:
            broker.stop()


if __name__ == "__main__":
    run_until_done(main())
