"""Delivery as a part: in the one process of the embedded way, else in as many as wanted.

In one process each commit of the notifier's wakes delivery. Where they are apart it is told by a
notice of the database, over which delivery looks for itself every half second.
"""

import asyncio
from contextlib import suppress

from chassis.database.notices import Bell, hear
from chassis.runtime import Runtime
from services.notifier.delivery.counting import mails_waiting
from services.notifier.delivery.deliver import Delivery

CHANNEL = "mails"


def install_delivery(runtime: Runtime) -> Delivery:
    """Deliver for as long as the runtime runs, woken by the commits that queue mails here.

    Each call adds a deliverer of its own: several in a process, or in many, share the queue.
    """
    delivery = Delivery(runtime.database, runtime.tenants, runtime.keys, runtime.settings)
    runtime.jobs.append(delivery.run)
    runtime.after_handled.append(delivery.wake)
    runtime.health["relay"] = delivery.trouble
    runtime.depth.queues["mail"] = mails_waiting
    return delivery


def tell_delivery(runtime: Runtime) -> None:
    """Where delivery is apart: tell it of each commit that may have queued mails."""
    bell = Bell(runtime.database.mover_url, CHANNEL, application="notifier notice")
    runtime.jobs.append(bell.run)
    runtime.after_handled.append(bell.ring)


def hear_of_mails(runtime: Runtime, delivery: Delivery) -> None:
    """Where delivery is apart: have it woken when it is told of mails."""

    async def listen(stopping: asyncio.Event) -> None:
        url = runtime.database.mover_url
        listening = asyncio.create_task(
            hear(url, CHANNEL, delivery.wake, application="delivery listener")
        )
        told = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({listening, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

    runtime.jobs.append(listen)
