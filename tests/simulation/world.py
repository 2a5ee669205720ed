"""The world of one run: its seed, its time, the processes that live in it, and their misfortunes.

Whatever a process does to a store or a broker passes `step`. There time goes by, and there it may
lose its connection or end: a call of an ended process never returns, as after SIGKILL.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from uuid import UUID

from tests.simulation.loop import VirtualLoop

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
LATENCIES_S = (0.0, 0.001, 0.001, 0.003, 0.01, 0.1)
CURRENT: contextvars.ContextVar["Process | None"] = contextvars.ContextVar("process", default=None)


class ConnectionLost(Exception):
    """The store or the broker hung up. What was under way may have been done or not."""


class Violation(Exception):
    """A promise was broken."""

    trace: list[str]
    """What had happened until then, where that was recorded."""


@dataclass(frozen=True)
class Faults:
    """How often what goes wrong, each time that it could."""

    crash: float = 0.0  # at any step
    crash_at_commit: float = 0.0  # just before, or just after
    lose_connection: float = 0.0  # at any step
    lose_at_commit: float = 0.0  # the outcome is unknown
    lose_message: float = 0.0
    double_message: float = 0.0
    reorder: float = 0.0
    step_clock: float = 0.0
    stall: float = 0.0  # the whole process stands still for a while, longer than a lease


QUIET = Faults()


@dataclass
class Process:
    """What lives and ends as one: its tasks, its clock, what it holds."""

    name: str
    number: int
    skew: timedelta = timedelta(0)
    is_dead: bool = False
    stalled_until_s: float = 0.0
    lost_note: bool = False  # the connection that told others that it lives was lost once


class World:
    """Seed, time, processes, misfortunes, and a record of what happened."""

    def __init__(self, seed: int, *, traced: bool = False) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.loop = VirtualLoop()
        self.faults = QUIET
        self.trace: list[str] | None = [] if traced else None
        self.steps = 0
        self.crashes = 0
        self.over = self.loop.create_future()
        self.is_ending = False
        self.when_dead: list[Callable[[Process], None]] = []
        """Called with a process that ended: what it held is let go of."""
        self._tasks: list[asyncio.Task[Any]] = []
        self.loop.set_task_factory(self._task)  # type: ignore[arg-type]  # as asyncio calls it
        self._processes = 0
        self._living: list[Process] = []
        self._restart: dict[str, Callable[[Process], list[Coroutine[Any, Any, None]]]] = {}
        self._ids = 0

    # ── Time, and names ──────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        """The instant that the current process believes it is."""
        process = CURRENT.get()
        true = BEGINNING + timedelta(seconds=self.loop.time())
        return true if process is None else true + process.skew

    def new_id(self) -> UUID:
        """An id of its own."""
        self._ids += 1
        return UUID(int=self.random.getrandbits(64) << 64 | self._ids)

    def tell(self, what: str) -> None:
        """Put a line into the record. Callers test `trace` first where words cost time."""
        if self.trace is not None:
            process = CURRENT.get()
            who = "" if process is None else f"{process.name}#{process.number}"
            self.trace.append(f"{self.loop.time():9.3f} {who:12} {what}")

    def chance(self, probability: float) -> bool:
        """Does it happen this time?"""
        return probability > 0 and self.random.random() < probability

    # ── Processes ────────────────────────────────────────────────────────────────────────────────

    def start(
        self, name: str, main: Callable[[Process], list[Coroutine[Any, Any, None]]]
    ) -> Process:
        """A process that runs what `main` answers; another one follows whenever it ends."""
        self._restart[name] = main
        self._processes += 1
        process = Process(name, self._processes)
        self._living = [one for one in self._living if not one.is_dead] + [process]
        context = contextvars.copy_context()
        context.run(CURRENT.set, process)
        for one in context.run(main, process):
            self.loop.create_task(one, context=context).add_done_callback(self._ended)
        return process

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What a process runs goes on until the process is killed, or the run is over."""
        if not self.is_ending:
            why = "cancelled" if task.cancelled() else repr(task.exception())
            self.check(False, "nothing that a process runs ends by itself", why)

    def put_clocks_right(self) -> None:
        """Every machine knows what time it is."""
        for process in self._living:
            process.skew = timedelta(0)

    def spawn(self, one: Coroutine[Any, Any, None]) -> None:
        """Something that is no process and never ends before its time."""
        _ = self.loop.create_task(one)

    def kill(self, process: Process) -> None:
        """End it at once; its connections are noticed to be gone a little later."""
        if process.is_dead:
            return
        self.crashes += 1
        self.tell(f"{process.name}#{process.number} is killed")
        process.is_dead = True
        for callback in self.when_dead:
            callback(process)
        pause_s = self.random.uniform(0.01, 1.0)
        self.loop.call_later(pause_s, self._start_again, process.name)

    def _start_again(self, name: str) -> None:
        if not self.over.done():
            contextvars.Context().run(self.start, name, self._restart[name])

    async def step(self, what: str, *details: object) -> None:
        """Time goes by. Raises ConnectionLost; never returns to a process that ended."""
        process = CURRENT.get()
        if process is not None and process.is_dead:
            await self.never()
        if self.is_ending:
            await self.never()
        self.steps += 1
        await asyncio.sleep(self.random.choice(LATENCIES_S))
        if process is None:
            return
        if self.chance(self.faults.stall):
            self.tell("stands still")
            process.stalled_until_s = self.loop.time() + self.random.uniform(5, 90)
        if process.stalled_until_s > self.loop.time():
            await asyncio.sleep(process.stalled_until_s - self.loop.time())
        if process.is_dead:
            await self.never()
        if self.trace is not None:
            self.tell(" ".join(map(str, (what, *details))))
        faults = self.faults
        if faults is QUIET:
            return
        if self.chance(faults.step_clock):
            process.skew = timedelta(seconds=self.random.uniform(-20, 20))
        if self.chance(faults.crash):
            await self.die(process)
        if self.chance(faults.lose_connection):
            self.tell(f"connection lost at {what}")
            raise ConnectionLost

    async def die(self, process: Process | None = None) -> NoReturn:
        """The current process ends here."""
        process = process or CURRENT.get()
        if process is not None:
            self.kill(process)
        await self.never()

    async def never(self) -> NoReturn:
        """Wait for what does not come, until the run is over."""
        if not self.is_ending:
            await self.loop.create_future()
        raise asyncio.CancelledError

    # ── The run ──────────────────────────────────────────────────────────────────────────────────

    def check(self, holds: bool, promise: str, *details: object) -> None:
        """End the run where a promise does not hold."""
        if not holds and not self.over.done():
            words = f"seed {self.seed}: {promise}: {' '.join(map(str, details))}"
            self.tell(f"BROKEN: {promise}: {' '.join(map(str, details))}")
            broken = Violation(words)
            broken.trace = list(self.trace or ())
            self.over.set_exception(broken)

    def finish(self) -> None:
        """All is as it should be in the end."""
        if not self.over.done():
            self.over.set_result(None)

    def run(self) -> None:
        """Until it is finished. Raises Violation."""
        self.loop.set_exception_handler(lambda _loop, _context: None)
        try:
            self.loop.run_until_complete(self.over)
        finally:
            self.is_ending = True
            while left := [task for task in self._tasks if not task.done()]:
                for task in left:
                    task.cancel()
                self.loop.run_until_complete(asyncio.wait(left, timeout=1))
            self.loop.close()

    def _task(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **given: Any
    ) -> asyncio.Task[Any]:
        """As the loop makes them, but none is forgotten: in the end all are ended."""
        task = asyncio.Task(coro, loop=loop, **given)
        self._tasks.append(task)
        return task


class Still(World):
    """A world in which no time goes by and nothing goes wrong."""

    async def step(self, what: str, *details: object) -> None:
        """At once."""
