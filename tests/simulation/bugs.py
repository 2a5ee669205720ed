"""Deliberate bugs, each in the place of one part's own step: what the simulation must catch."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

from aio_pika.abc import AbstractIncomingMessage

from chassis import clock
from chassis.inbox.handling import Effects, Handling
from chassis.inbox.verbs import Claimed, Rest, Transaction
from chassis.inbox.worker import Worker
from chassis.publisher import Publisher
from chassis.rabbit.messages import envelope_of
from chassis.rabbit.reading import Reading
from chassis.subscriptions import Subscription
from chassis.work import UnitOfWork
from contracts.event import Envelope
from tests.simulation.broker import MemoryConsumer
from tests.simulation.inbox import MemoryNotes, MemoryTransaction, Note, Row
from tests.simulation.run import Parts


class MarksBeforeItIsCarried(Publisher):
    """Marks in one transaction, carries after it: a crash between loses the events."""

    async def publish(self) -> int:
        async with self._outbox.begin() as transaction:
            envelopes = await transaction.claim(self.BATCH)
            await transaction.mark(envelopes, clock.now())
        if envelopes:
            await self._bus.publish(envelopes)
        return len(envelopes)


class TakesNoAnswerForYes(Publisher):
    """Marks as sent what the bus did not confirm."""

    async def publish(self) -> int:
        async with self._outbox.begin() as transaction:
            envelopes: list[Envelope] = await transaction.claim(self.BATCH)
            try:
                await self._bus.publish(envelopes)
            except Exception:
                await asyncio.sleep(0)
            await transaction.mark(envelopes, clock.now())
        return len(envelopes)


class AcknowledgesFirst(MemoryConsumer):
    """Acknowledges, then stores."""

    async def _take(self, messages: Sequence[AbstractIncomingMessage], read: Reading) -> None:
        await messages[-1].ack(multiple=True)
        await self._inbox.store([envelope_of(one.headers, one.body) for one in messages])


class RemovesWithoutHandling(Worker):
    """Takes rows out of the inbox and commits, then handles them: a crash between loses them."""

    async def _run_alone(self, row: Claimed, epoch: int) -> None:
        async with self._inbox.begin() as transaction:
            if held := await transaction.claim_one(row.key):
                await transaction.see([held], clock.now())
                await transaction.remove([held])
        await super()._run_alone(row, epoch)


class HandlesWhatItHasSeen(Worker):
    """Does not look whether a row was handled before."""

    async def _handle(
        self, transaction: Transaction, rows: list[Claimed], epoch: int
    ) -> list[Effects]:
        await transaction.see(rows, clock.now())
        gone = await transaction.ended_among(rows)
        effects = [await self._handling.run(transaction, row, epoch, gone) for row in rows]
        await transaction.remove(rows)
        await transaction.wake(rows)
        return effects


class ForgetsToWake(MemoryTransaction):
    """Leaves asleep who awaited what has now arrived."""

    async def wake(self, rows: Sequence[Claimed]) -> None:
        pass


class IgnoresSubjects(MemoryTransaction):
    """Claims rows without regard to whom they concern."""

    def _holds_subjects(self, row: Row) -> bool:
        return True


class LocksTheFirstSubjectOnly(MemoryTransaction):
    """Holds whom a row is about, but not whom else it concerns."""

    def _holds_subjects(self, row: Row) -> bool:
        return super()._holds_subjects(replace(row, concerned=row.concerned[:1]))


class ForgetsEpochs(MemoryTransaction):
    """Compares versions alone: after a restore, what is new looks old."""

    async def is_newest(self, row: Claimed) -> bool:
        envelope = row.envelope.model_copy(update={"epoch": 1})
        aged = replace(row, stored=envelope.model_dump(mode="json"))
        return await super().is_newest(aged)


class AppliesWhatIsOld(MemoryTransaction):
    """Takes whatever comes last for the newest."""

    async def is_newest(self, row: Claimed) -> bool:
        return True


class LetsTheEndedLive(Handling):
    """Handles what is told of those who have come to their end."""

    async def _apply(
        self,
        transaction: Transaction,
        work: UnitOfWork,
        subscription: Subscription,
        row: Claimed,
        gone: set[tuple[UUID, UUID]],
    ) -> None:
        await super()._apply(transaction, work, subscription, row, set())


class BlamesNobody(Worker):
    """Never looks at the notes of those who are no more."""

    async def _tidy(self) -> None:
        pass


class TriesForEver(Worker):
    """Does not count how often a row has failed."""

    async def _lay_down(self, row: Claimed, rest: Rest) -> None:
        state = "later" if rest.state == "dead" else rest.state
        await super()._lay_down(row, replace(rest, state=state, attempts=0))


class GivesUpOnTheBatch(Worker):
    """Counts a failed batch as a failure of each of its rows, for good."""

    async def _run_alone(self, row: Claimed, epoch: int) -> None:
        if row.attempts == 0 and not row.singly:
            await self._lay_down(row, Rest("dead", clock.now(), self._patience.attempts))
        else:
            await super()._run_alone(row, epoch)


class ForgetsWhatItSaw(Worker):
    """Forgets the ids of handled events at once, though they may come again."""

    async def round(self) -> bool:
        found = await super().round()
        await self._inbox.forget_seen(clock.now())
        return found


class BlamesByAnOldNote(MemoryNotes):
    """Blames by what it read before it held the lock: two that look at once blame twice."""

    def _read_again(self, note: Note | None, read_before: Note) -> Note:
        return read_before


class BlamesTheBatch(MemoryNotes):
    """Takes every row of a batch for the one that ended the worker."""

    async def write(self, rows: Sequence[Claimed], *, alone: bool) -> None:
        await super().write(rows, alone=True)


BUGS: dict[str, Callable[[], Parts]] = {
    kind.__name__: (lambda field=field, kind=kind: Parts(**{field: kind}))  # type: ignore[misc]
    for field, kinds in {
        "publisher": (MarksBeforeItIsCarried, TakesNoAnswerForYes),
        "consumer": (AcknowledgesFirst,),
        "worker": (
            RemovesWithoutHandling,
            HandlesWhatItHasSeen,
            ForgetsWhatItSaw,
            BlamesNobody,
            TriesForEver,
            GivesUpOnTheBatch,
        ),
        "handling": (LetsTheEndedLive,),
        "notes": (BlamesByAnOldNote, BlamesTheBatch),
        "transaction": (
            ForgetsToWake,
            IgnoresSubjects,
            LocksTheFirstSubjectOnly,
            ForgetsEpochs,
            AppliesWhatIsOld,
        ),
    }.items()
    for kind in cast(tuple[type, ...], kinds)
}
"""By name, a run's parts with one bug among them."""
