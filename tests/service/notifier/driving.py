"""A delivery driven by hand or let run, and what is seen of it."""

import asyncio
import re
from email.message import EmailMessage

from services.notifier.delivery.deliver import Deliverer, Delivery
from tests.builders.notifier import (
    now,
)
from tests.service.notifier.conftest import Office
from tests.service.notifier.relay import ScriptedRelay, text_of

PATIENCE_S = 30  # how long what must come may take on a busy machine


def only(delivery: Delivery) -> Deliverer:
    """The one deliverer of a delivery that has one relay."""
    [one] = delivery.deliverers
    return one


async def delivered(delivery: Delivery, *, rounds: int = 200) -> None:
    """Deliver until nothing is due any more, retries included."""
    for _ in range(rounds):
        looked_at = now()
        if await delivery.deliver_due() == 0:
            if await only(delivery)._queue.next_due(looked_at) is None:
                return
            await asyncio.sleep(0.01)
    raise AssertionError("mails are still due")


def link_in(message: EmailMessage, kind: str = "plain") -> str:
    """The token of the mail's link."""
    found = re.search(r"\?link=([\w.~-]+)", text_of(message, kind))
    assert found is not None
    return found[1]


async def states(office: Office) -> list[tuple[object, ...]]:
    return await office.rows("SELECT state, count(*)::int FROM mails GROUP BY state ORDER BY 1")


async def attempts(office: Office) -> list[tuple[object, ...]]:
    return await office.rows("SELECT outcome, code, words FROM attempts ORDER BY tried_at, id")


class Run:
    """A deliverer at work."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.stopping = asyncio.Event()

    async def __aenter__(self) -> "Run":
        self.task = asyncio.create_task(self.delivery.run(self.stopping))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stopping.set()
        async with asyncio.timeout(PATIENCE_S):
            await self.task


async def arrived(relay: ScriptedRelay, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await relay.has_received(count)
