"""Waiting for what comes about by itself, with a bound."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


def until(holds: Callable[[], object], within_s: float = 10) -> bool:
    """Look again and again until it holds; False if it never did within the time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


async def eventually(holds: Callable[[], Awaitable[object]], within_s: float = 30) -> bool:
    """As `until`, while others in this loop go on."""
    deadline = time.monotonic() + within_s
    while True:
        if await holds():
            return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)


async def soon(holds: Callable[[], object], within_s: float = 30) -> bool:
    """As `eventually`, for what is known at once."""

    async def held() -> object:
        return holds()

    return await eventually(held, within_s)


@asynccontextmanager
async def bounded(within_s: float, tell: Callable[[], str] = str) -> AsyncIterator[None]:
    """The block must be done within the time; else it fails, with what every task waits for.

    `tell` is asked, then, for whatever else explains it, such as the end of a log.
    """
    main = asyncio.current_task()
    assert main is not None
    stacks: list[str] = []

    def give_up() -> None:
        stacks.extend(map(_stack, asyncio.all_tasks()))
        main.cancel()

    timer = asyncio.get_running_loop().call_later(within_s, give_up)
    try:
        yield
    except asyncio.CancelledError:
        if not stacks:
            raise
        main.uncancel()
        waiting = "\n".join(stacks)
        raise AssertionError(f"not done within {within_s} s:\n{waiting}\n{tell()}") from None
    finally:
        timer.cancel()


def _stack(task: asyncio.Task[object]) -> str:
    text = io.StringIO()
    task.print_stack(limit=12, file=text)
    return text.getvalue()
