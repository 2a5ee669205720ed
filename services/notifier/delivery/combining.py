"""Calls that come while one is under way go together in the next: no call waits to be joined."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Combining(Generic[T, R]):
    """Makes of a function over many one that is called for each, by many at once.

    `run` gives one result for each that it is given, in their order; what it raises, all get.
    """

    def __init__(self, run: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, most: int) -> None:
        self._run = run
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, one: T) -> R:
        """The result for this one."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, result))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())
        return await result

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                found = await self._run([one for one, _ in batch])
            except BaseException as error:
                for _, result in batch:
                    if not result.done():
                        result.set_exception(error)
                if isinstance(error, asyncio.CancelledError):
                    raise
                continue
            for (_, result), value in zip(batch, found, strict=True):
                if not result.done():
                    result.set_result(value)
