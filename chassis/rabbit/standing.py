"""That all stands at the broker, and that everybody hears of it where a queue was gone.

A queue that is deleted, or a broker that comes back empty, takes along what was confirmed into it
and not stored yet. Whoever finds one missing makes it and tells each service so, in the service's
own queue, where that waits like any event: the service sends its outbox again. Inboxes know what
they have had, so what comes twice has no effect.
"""

import asyncio

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from chassis.rabbit.connection import Connection
from chassis.rabbit.topology import Topology, declare

log = structlog.get_logger()

QUEUE_MADE = "guichet.queue-made"
"""The type of the message that says so. It is no event: it has no envelope, and no tenant."""

STAND_S = 10.0


async def stand(connection: Connection, topology: Topology) -> None:
    """Make what is missing. Raises if something has our name and other arguments, or in time."""
    async with asyncio.timeout(STAND_S):
        missing = [queue for queue in _queues(topology) if not await _exists(connection, queue)]
        channel = await connection.channel(confirms=True)
        await declare(channel, topology)
        if missing:
            log.warning("queues_made", queues=missing)
            for queue in _queues(topology):
                told = Message(b"", type=QUEUE_MADE, delivery_mode=DeliveryMode.PERSISTENT)
                await channel.default_exchange.publish(told, queue)
        await channel.close()


def tells_of_a_queue(message: AbstractIncomingMessage) -> bool:
    """Does it say that a queue was made?"""
    return message.type == QUEUE_MADE


def _queues(topology: Topology) -> list[str]:
    return [topology.queue_of(service) for service in sorted(topology.kept)]


async def _exists(connection: Connection, queue: str) -> bool:
    """Asked on a channel of its own, which the broker closes where there is none."""
    channel = await connection.channel()
    try:
        await channel.get_queue(queue)
    except ChannelNotFoundEntity:
        return False
    await channel.close()
    return True
