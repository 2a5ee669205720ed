"""One run of one seed: the parts, the story, the faults until they stop, and what must be then."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import clock, publisher
from chassis.inbox import worker
from chassis.inbox.handling import Handling
from chassis.inbox.verbs import Claimed, Key
from chassis.inbox.worker import Patience, Worker
from chassis.publisher import Publisher
from chassis.rabbit import connection, consuming
from chassis.work import UnitOfWork
from contracts.event import Envelope
from tests.simulation.broker import Broker, MemoryConsumer
from tests.simulation.inbox import MemoryInbox, MemoryInboxStore, MemoryNotes, MemoryTransaction
from tests.simulation.memory import Memory
from tests.simulation.promises import Promises
from tests.simulation.story import Story
from tests.simulation.work import MemoryOutbox
from tests.simulation.world import CURRENT, QUIET, Faults, Process, Violation, World

PATIENCE = Patience(
    attempts=6, first_s=0.1, longest_s=1.0, awaits_s=2.0, awaits_for=timedelta(hours=1)
)
LIVENESS_S = 300.0
TROUBLED_S = 4.0


@dataclass(frozen=True)
class Parts:
    """What a run is made of. A deliberate bug is another class in the place of one of these."""

    worker: type[Worker] = Worker
    publisher: type[Publisher] = Publisher
    handling: type[Handling] = Handling
    consumer: type[MemoryConsumer] = MemoryConsumer
    transaction: type[MemoryTransaction] = MemoryTransaction
    notes: type[MemoryNotes] = MemoryNotes
    patience: Patience = field(default=PATIENCE)


def faults_of(world: World) -> Faults:
    """What goes wrong in this run: some things often, others never."""

    def some(most: float) -> float:
        return world.random.choice((0.0, most / 8, most))

    return Faults(
        crash=some(0.01),
        crash_at_commit=some(0.04),
        lose_connection=some(0.02),
        lose_at_commit=some(0.06),
        lose_message=some(0.1),
        double_message=some(0.4),
        reorder=some(0.8),
        step_clock=some(0.02),
    )


class Log:
    """Takes the place of the parts' logs: what they say goes into the record."""

    def __init__(self, world: World) -> None:
        self._world = world

    def log(self, _level: int, event: str, **fields: Any) -> None:
        """A line."""
        self._world.tell(f"log {event} {fields.get('handler', '')} {fields.get('cause', '')}")

    def warning(self, event: str, **fields: Any) -> None:
        """A line."""
        self.log(30, event, **fields)

    error = debug = info = exception = warning


def watched(promises: Promises, kind: type[MemoryTransaction]) -> type[MemoryTransaction]:
    """The transactions of a run, with promises that watch who handles what."""

    class Watched(kind):  # type: ignore[valid-type, misc]  # the class is chosen by the run
        async def claim_one(self, key: Key) -> Claimed | None:
            held: Claimed | None = await super().claim_one(key)
            process = CURRENT.get()
            if held is not None and process is not None:
                promises.alone[key].append(process)
            return held

        def handling(self, row: Claimed, epoch: int) -> AbstractAsyncContextManager[UnitOfWork]:
            promises.enters(self.inner, row.tenant, row.concerned)
            work: AbstractAsyncContextManager[UnitOfWork] = super().handling(row, epoch)
            return work

    return Watched


class Run:
    """The parts of a run, put together."""

    def __init__(self, world: World, parts: Parts) -> None:
        self.world = world
        self.parts = parts
        self.post, self.hall = Memory(world, "post"), Memory(world, "hall")
        self.broker = Broker(world)
        self.story = story = Story(world, self.post)
        causes: dict[UUID, Envelope] = {}
        attempts = parts.patience.attempts
        self.promises = {
            memory.service: Promises(
                world, memory, self.broker, story, subscriptions, causes, attempts
            )
            for memory, subscriptions in (
                (self.post, story.post_hears),
                (self.hall, story.hall),
            )
        }
        self._transactions = {
            name: watched(one, parts.transaction) for name, one in self.promises.items()
        }
        for one in self.promises.values():
            one.others = list(self.promises.values())
            self.broker.expect(one.memory.service, frozenset(one.handlers))
            one.memory.after.append(self._look)
        self.broker.acknowledged = self._acknowledged
        self._is_quiet = False

    def begin(self) -> None:
        """Start processes and customers."""
        world = self.world
        world.faults = faults_of(world)
        world.start("post", self._post)
        for _ in range(2):
            world.start("hall", self._hall)
        world.spawn(self._tell())

    async def _tell(self) -> None:
        world = self.world
        tenants = sorted(world.new_id() for _ in range(world.random.choice((1, 2, 3))))
        tellings = [
            self.story.tell(
                tenant,
                [world.new_id() for _ in range(world.random.choice((2, 3)))],
                world.random.choice((2, 4, 6)),
            )
            for tenant in tenants
        ]
        await asyncio.gather(*tellings)
        await asyncio.sleep(world.random.uniform(0, TROUBLED_S))
        world.tell("the faults stop")
        world.faults = QUIET
        world.put_clocks_right()
        self._is_quiet = True
        world.loop.call_later(LIVENESS_S, self._too_late)

    def _too_late(self) -> None:
        left = [line for one in self.promises.values() for line in one.left()]
        self.world.check(False, "all is done in the end", *left[:10])

    def _look(self) -> None:
        if self._is_quiet and all(one.is_settled() for one in self.promises.values()):
            for one in self.promises.values():
                one.in_the_end()
            self.promises["hall"].projection_is_true()
            self.world.finish()

    def _acknowledged(self, service: str, envelope: Envelope) -> None:
        self.world.check(
            self.promises[service].has_stored(envelope),
            "what is acknowledged was stored",
            envelope.id,
        )
        self.world.loop.call_soon(self._look)

    def _post(self, process: Process) -> list[Coroutine[Any, Any, None]]:
        return self._process(self.promises["post"], workers=1)

    def _hall(self, process: Process) -> list[Coroutine[Any, Any, None]]:
        return self._process(self.promises["hall"], workers=1)

    def _process(self, promises: Promises, *, workers: int) -> list[Coroutine[Any, Any, None]]:
        """As `chassis.runtime` puts a service's parts together."""
        parts, memory = self.parts, promises.memory
        timers = self.story.hall_timers if memory.service == "hall" else ()
        handling = parts.handling(memory.service, tuple(promises.subscriptions.values()), timers)
        publisher = parts.publisher(MemoryOutbox(memory), self.broker)
        epoch = self.story.epoch  # read once a process
        inbox = MemoryInbox(memory, lambda: epoch, parts.notes, self._transactions[memory.service])
        crew = [
            parts.worker(inbox, handling, patience=parts.patience, after_emit=publisher.wake)
            for _ in range(workers)
        ]

        def wake() -> None:
            for one in crew:
                one.wake()

        store = MemoryInboxStore(memory, tuple(promises.subscriptions.values()), wake)
        consumer = parts.consumer(self.broker, memory.service, store)
        return [
            publisher.run(),
            *(one.run() for one in crew),
            consumer.run(asyncio.Event()),
        ]


def run(seed: int, parts: Parts | None = None, *, traced: bool = False) -> World:
    """Run a seed. Raises Violation where a promise is broken."""
    world = World(seed, traced=traced)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", world.now)
        patch.setattr(worker, "random", world.random)
        patch.setattr(connection, "random", world.random)
        patch.setattr(Worker, "HANDLER_TIMEOUT_S", 3.0)
        patch.setattr(Worker, "TIDY_EVERY_S", 5.0)
        for module in (worker, publisher, consuming):
            patch.setattr(module, "log", Log(world))
        Run(world, parts or Parts()).begin()
        world.run()
    return world


def trace_of(seed: int, parts: Parts | None = None) -> list[str]:
    """What happens in a run, line by line, up to its end or to the broken promise."""
    lines: list[str] = []
    try:
        lines = run(seed, parts, traced=True).trace or []
    except Violation as broken:
        lines = [*broken.trace, str(broken)]
    return lines
