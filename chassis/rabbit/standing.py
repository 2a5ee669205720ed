"""That all stands at the broker, and that everybody hears of it where a queue was gone.

A queue that is deleted, or a broker that comes back empty, takes along what was confirmed into it
and not stored yet. Whoever finds one missing makes it and tells each service so, in the service's
own queue, where that waits like any event: the service sends its outbox again. Inboxes know what
they have had, so what comes twice has no effect.

That a queue was told of is itself kept at the broker, as an exchange that nothing is sent to. It is
taken away before the queue is made, so whoever ends in between leaves the telling to the next.
"""

import asyncio

import structlog
from aio_pika import DeliveryMode, ExchangeType, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
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
        queues = [topology.queue_of(service) for service in sorted(topology.kept)]
        untold = [queue for queue in queues if not await _is_told_of(connection, queue)]
        channel = await connection.channel(confirms=True)
        for queue in untold:
            await channel.exchange_delete(told_of(queue))
        await declare(channel, topology)
        if untold:
            log.warning("queues_made", queues=untold)
            for queue in queues:
                await _tell(channel, queue)
            for queue in untold:
                await channel.declare_exchange(told_of(queue), ExchangeType.FANOUT, durable=True)
        await channel.close()


def told_of(queue: str) -> str:
    """The exchange which says that everybody was told that the queue was made."""
    return f"{queue}.told"


def tells_of_a_queue(message: AbstractIncomingMessage) -> bool:
    """Does it say that a queue was made?"""
    return message.type == QUEUE_MADE


async def _tell(channel: AbstractChannel, queue: str) -> None:
    told = Message(b"", type=QUEUE_MADE, delivery_mode=DeliveryMode.PERSISTENT)
    await channel.default_exchange.publish(told, queue)


async def _is_told_of(connection: Connection, queue: str) -> bool:
    """Is it there, and was that told? Asked on a channel of its own, which is closed if not."""
    channel = await connection.channel()
    try:
        await channel.get_queue(queue)
        await channel.get_exchange(told_of(queue))
    except ChannelNotFoundEntity:
        return False
    await channel.close()
    return True
