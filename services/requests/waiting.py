"""Reading what an event is about to bring: asked again in short units of work, for a second."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.work import Begin

T = TypeVar("T")

PATIENCE_S = 1.0


async def once_arrived(
    begin: Begin, question: Callable[[AsyncSession], Awaitable[T | None]]
) -> T | None:
    """What the question answers as soon as it answers anything; None after a second of nothing.

    No transaction stays open between two tries.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    pause_s = 0.02
    while True:
        async with begin() as work:
            answer = await question(work.db)
        if answer is not None or loop.time() + pause_s > until:
            return answer
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.2)
