"""What a process can't do without goes on: what ends before it was told to is begun again."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

AGAIN_AFTER_S = 1.0


async def going_on(what: str, run: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
    """Run it until it returns. Whatever it raises is logged by its kind, and it begins again.

    A cancellation that is not ours counts too: a library may let one out that was meant for a call
    of its own.
    """
    while True:
        try:
            await run()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            log.error("ended_early", what=what, error="CancelledError")
        except Exception as error:
            log.error("ended_early", what=what, error=type(error).__name__)
        else:
            return
        try:
            async with asyncio.timeout(AGAIN_AFTER_S):
                await stopping.wait()
        except TimeoutError:
            pass
        else:
            return
