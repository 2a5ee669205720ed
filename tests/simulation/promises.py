"""The promises, looked at whenever something is committed or acknowledged, and in the end."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from chassis.inbox.verbs import Key
from chassis.subscriptions import Mode, Subscription
from contracts.event import Envelope
from tests.simulation.broker import Broker
from tests.simulation.inbox import Row
from tests.simulation.memory import Memory, Transaction
from tests.simulation.story import LASTING, Story
from tests.simulation.world import Process, World


class Promises:
    """What holds of one service's database, whatever befalls its processes."""

    def __init__(
        self,
        world: World,
        memory: Memory,
        broker: Broker,
        story: Story,
        subscriptions: tuple[Subscription, ...],
        causes: dict[UUID, Envelope],
        attempts: int,
    ) -> None:
        self.world = world
        self.memory = memory
        self.broker = broker
        self.story = story
        self.causes = causes
        self.attempts = attempts
        self.subscriptions = {one.name: one for one in subscriptions}
        self.handlers: dict[str, list[str]] = defaultdict(list)
        for one in subscriptions:
            for event in one.events:
                self.handlers[event.type_name()].append(one.name)
        self.others: list[Promises] = []
        self.alone: dict[Key, list[Process]] = defaultdict(list)
        """By row, the processes that ran it by itself, one entry a time."""
        self.handling: dict[tuple[UUID, UUID], Transaction] = {}
        self.awaiting_s: dict[Key, float] = {}
        """By row, since when all see that it awaits a subject."""
        memory.checks.append(self.at_commit)

    # ── While it goes on ─────────────────────────────────────────────────────────────────────────

    def enters(self, transaction: Transaction, tenant: UUID, concerned: tuple[UUID, ...]) -> None:
        """A handler begins: no other one is at work on one of these."""
        for subject in concerned:
            other = self.handling.get((tenant, subject))
            self.world.check(
                other is None or other is transaction or other.is_over,
                "one at a time within a subject",
                subject,
            )
            self.handling[tenant, subject] = transaction

    def at_commit(self, transaction: Transaction) -> None:
        """What is about to be committed is right."""
        for (table, key), new in transaction.writes.items():
            old = self.memory.tables[table].get(key)
            if table == "effects":
                self._effect(transaction, key, old)
            elif table == "inbox":
                self._inbox(transaction, key, old, new)
            elif table == "outbox" and new is not None:
                self._outbox(key, old, new)
            elif table == "kept" and key[1] == "shelf" and old is not None:
                self.world.check(old[0] <= new[0], "a projection never goes back", key, old, new)

    def _effect(self, transaction: Transaction, key: Key, old: Any) -> None:
        tenant, id, handler = key
        check = self.world.check
        check(old is None, "each id at most once for a handler", *key)
        cause = self.causes.get(id)
        check(cause is not None, "no effect without a cause", *key)
        if cause is None or handler not in self.subscriptions:
            return
        row: Row | None = self.memory.tables["inbox"].get(key)
        check(row is not None, "what is handled was in the inbox", *key)
        for subject in row.concerned if row else ():
            is_ended = (tenant, subject) in self.memory.tables["ended"]
            ends = cause.event().ends
            check(ends or not is_ended, "what ended has no more effects", *key)

    def _inbox(self, transaction: Transaction, key: Key, old: Row | None, new: Row | None) -> None:
        check = self.world.check
        if old is None and new is not None:
            if new.envelope["type"].startswith("timer."):
                self.causes[new.id] = Envelope.model_validate(new.envelope)
            check(new.id in self.causes, "nothing is received that was not sent", *key)
        elif new is None and old is not None:
            check(transaction.get("seen", key) is not None, "what is removed was seen", *key)
            check(self._is_done(transaction, key, old), "what is removed was handled", *key)
            self._woken(transaction, old)
        elif new is not None and new.state == "awaiting":
            self.awaiting_s[key] = self.world.loop.time()
        elif old is not None and new is not None and new.state == "dead" != old.state:
            check(self._may_die(key, new), "nothing is dead without its due", *key, new.error)

    def _is_done(self, transaction: Transaction, key: Key, row: Row) -> bool:
        """Its effect is there, or there is a reason for none."""
        if transaction.get("effects", key) is not None:
            return True
        if any(transaction.get("ended", (row.tenant, one)) is not None for one in row.concerned):
            return True
        subscription = self.subscriptions.get(row.handler)
        if subscription is None or subscription.mode is not Mode.NEWEST:
            return False
        kept = transaction.get("projected", (row.tenant, row.handler, row.concerned[0]))
        return kept is not None and kept > (row.envelope["epoch"], row.envelope["version"])

    def _woken(self, transaction: Transaction, arrived: Row) -> None:
        """Who awaited it from before this transaction began awaits it no more."""
        for key, row in transaction.scan("inbox"):
            self.world.check(
                row.state != "awaiting"
                or (row.tenant, row.awaits) != (arrived.tenant, arrived.concerned[0])
                or self.awaiting_s.get(key, 0.0) >= transaction.began_s,
                "what has arrived is awaited no more",
                *key,
            )

    def _may_die(self, key: Key, row: Row) -> bool:
        runs = self.alone[key]
        if row.error == "ended its worker twice":
            return sum(process.is_dead or process.lost_note for process in runs) >= 2
        return row.attempts >= self.attempts and len(runs) >= self.attempts

    def _outbox(self, key: Any, old: Any, new: Any) -> None:
        if old is None:
            self.causes[new.envelope.id] = new.envelope
        elif old.sent_at is None and new.sent_at is not None:
            for other in self.others:
                self.world.check(
                    other.has_received(new.envelope),
                    "what is marked as sent has arrived wherever it is heard",
                    new.envelope.id,
                    other.memory.service,
                )

    def has_received(self, envelope: Envelope) -> bool:
        """Is the event in this service's queue, or were its rows ever stored?"""
        handlers = self.handlers.get(envelope.type, [])
        queue = self.broker.queues[self.memory.service]
        return not handlers or queue.holds(envelope) or self.has_stored(envelope)

    def has_stored(self, envelope: Envelope) -> bool:
        """Has every handler a row, or had one?"""
        tables = self.memory.tables
        return all(
            (envelope.tenant, envelope.id, handler) in tables["inbox"]
            or (envelope.tenant, envelope.id, handler) in tables["seen"]
            for handler in self.handlers.get(envelope.type, [])
        )

    # ── In the end ───────────────────────────────────────────────────────────────────────────────

    def is_settled(self) -> bool:
        """Is nothing left to do?"""
        tables = self.memory.tables
        return (
            all(row.sent_at is not None for row in tables["outbox"].values())
            and all(self._rests(row) for row in tables["inbox"].values())
            and self.broker.queues[self.memory.service].is_empty
        )

    def _rests(self, row: Row) -> bool:
        """Is it dead, or does it await what an operator has to mend first?"""
        return row.state == "dead" or (
            row.state == "awaiting"
            and any(
                other.state == "dead"
                and (other.tenant, other.concerned[0]) == (row.tenant, row.awaits)
                for other in self.memory.tables["inbox"].values()
            )
        )

    def left(self) -> list[str]:
        """What is left to do, for whoever looks into it."""
        tables = self.memory.tables
        unsent = [f"unsent {key[1]}" for key, row in tables["outbox"].items() if not row.sent_at]
        waiting = [
            f"{row.state} {row.handler} {row.id}"
            for row in tables["inbox"].values()
            if not self._rests(row)
        ]
        queue = self.broker.queues[self.memory.service]
        return unsent + waiting + ([] if queue.is_empty else [f"queue {len(queue.ready)}"])

    def in_the_end(self) -> None:
        """Every cause had its effect, wherever it is heard."""
        tables = self.memory.tables
        for envelope in list(self.causes.values()):
            for handler in self.handlers.get(envelope.type, []):
                key = (envelope.tenant, envelope.id, handler)
                row = tables["inbox"].get(key)
                is_lasting = self.story.troubles.get((envelope.id, handler)) in LASTING
                self.world.check(row is not None or key in tables["seen"], "nothing is lost", *key)
                if row is None and is_lasting:
                    self.world.check(
                        key not in tables["effects"], "what always fails has no effect", *key
                    )
        for key in self.timers_without_effect():
            self.world.check(False, "every timer runs", *key)

    def timers_without_effect(self) -> list[Key]:
        """Timers that ran out without anything."""
        tables = self.memory.tables
        return [
            (cause.tenant, cause.id, "remind")
            for cause in self.causes.values()
            if cause.type == "timer.Reminder"
            and self.memory.service == "hall"
            and (cause.tenant, cause.id, "remind") not in tables["effects"]
            and (cause.tenant, cause.id, "remind") not in tables["inbox"]
        ]

    def projection_is_true(self) -> None:
        """Of the hall: every shelf has the label that the post gave last; numbers have no gaps."""
        tables = self.memory.tables
        for (tenant, parcel), truth in self.story.truth.items():
            if (tenant, parcel) in self.story.gone or not truth.label:
                continue
            if any(
                row.handler == "shelve" and row.concerned[0] == parcel
                for row in tables["inbox"].values()
            ):
                continue  # two crashes while it ran alone: dead, for an operator to look at
            kept = tables["kept"].get((tenant, "shelf", parcel))
            self.world.check(
                kept is not None and kept[1] == truth.label,
                "a projection equals its source in the end",
                parcel,
                kept,
                truth,
            )
        numbers: dict[UUID, list[int]] = defaultdict(list)
        for (tenant, _, handler), facts in tables["effects"].items():
            if handler == "number":
                numbers[tenant].append(facts["number"])
        for taken in numbers.values():
            self.world.check(
                sorted(taken) == list(range(1, len(taken) + 1)),
                "no number twice or left out",
                taken,
            )
