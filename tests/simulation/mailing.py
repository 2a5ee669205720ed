"""Delivery in a run: the queue in memory, relays that answer as a script says, and its promises.

Deliverer and steps are those of production. Leases are told by the database's clock, which is
right; the processes' clocks step.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifier.delivery import deliver, steps
from services.notifier.delivery.deliver import LEASE, Deliverer
from services.notifier.delivery.mails import Key, Letter, Taken
from services.notifier.delivery.mark import STATES, Mark
from services.notifier.delivery.steps import Line, MayEnd, RelayAway, Steps
from services.notifier.delivery.turns import Turns
from services.notifier.domain import retries
from services.notifier.domain.answers import Answer, Outcome, judged, lost
from services.notifier.domain.kinds import KINDS, Priority, Template
from services.notifier.domain.retries import Patience
from tests.simulation.memory import Memory, Transaction
from tests.simulation.run import LIVENESS_S, Log, faults_of
from tests.simulation.world import BEGINNING, CURRENT, QUIET, ConnectionLost, Process, World

PATIENCE = Patience(first_s=1.0, longest_s=4.0, away_first_s=0.2, away_longest_s=2.0)
SCRIPTS = ("takes", "takes", "takes", "greylists", "refuses", "drops", "slow", "slow to answer")


@dataclass(frozen=True)
class Mail:
    """A row of the queue."""

    key: Key
    template: Template
    due_at: datetime
    state: str = "queued"
    lease_by: str | None = None
    lease_until: datetime | None = None
    message_id: str | None = None
    attempts: int = 0
    doubts: int = 0
    outcome: Outcome | None = None
    gave_up: bool = False


class MemoryQueue:
    """`services.notifier.delivery.steps.Queue`, in memory."""

    def __init__(self, memory: Memory, holder: str) -> None:
        self._memory = memory
        self.world = memory.world
        self.holder = holder
        self._turns = Turns(self._claim_after)

    def _db_now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.world.loop.time())

    def _is_held(self, mail: Mail) -> bool:
        return (
            mail.state == "queued"
            and mail.lease_by == self.holder
            and mail.lease_until is not None
            and mail.lease_until > self._db_now()
        )

    def _is_free(self, mail: Mail) -> bool:
        return mail.lease_until is None or mail.lease_until <= self._db_now()

    async def claim(self, now: datetime, *, most: int, each: int) -> list[Key]:
        """Lease what is due and nobody's, in the turns of production."""
        return await self._turns.claim(now, most=most, each=each)

    async def _claim_after(
        self, priority: Priority, cursor: UUID, now: datetime, most: int, each: int
    ) -> list[Key]:
        async with self._memory.begin() as inner:
            await self.world.step("claim mails")
            due = [
                mail
                for _, mail in inner.scan("mails")
                if mail.state == "queued"
                and KINDS[mail.template].priority == priority
                and mail.key.tenant > cursor
                and mail.due_at <= now
                and self._is_free(mail)
            ]
            taken: dict[UUID, int] = defaultdict(int)
            keys: list[Key] = []
            for mail in sorted(due, key=lambda one: (one.key.tenant, one.due_at)):
                if len(keys) == most:
                    break
                if taken[mail.key.tenant] < each and inner.may_hold(("mails", mail.key)):
                    taken[mail.key.tenant] += 1
                    await inner.put("mails", mail.key, self._leased(mail))
                    keys.append(mail.key)
        return keys

    async def take(self, key: Key, message_id: str, now: datetime) -> Taken | None:
        """The mail to be sent now."""
        async with self._memory.begin() as inner:
            await self.world.step("take", key.id)
            await inner.hold(("mails", key))
            mail: Mail | None = inner.get("mails", key)
            if mail is None or not self._is_held(mail):
                return None
            mail = replace(self._leased(mail), message_id=mail.message_id or message_id)
            await inner.put("mails", key, mail)
        return Taken(
            tenant=key.tenant,
            id=key.id,
            template=mail.template,
            event_id=key.id,
            about={},
            attempts=mail.attempts,
            version=0,
            facts={},
            address="town@example.org",
            language="fr",
            link_id=None,
            message_id=mail.message_id or message_id,
            traceparent=None,
            doubts=mail.doubts,
            relay=None,
        )

    async def renew(self, keys: Sequence[Key]) -> set[Key]:
        """Begin leases anew."""
        kept = set()
        async with self._memory.begin() as inner:
            await self.world.step("renew", len(keys))
            for key in sorted(keys, key=lambda one: one.id):
                await inner.hold(("mails", key))
                mail = inner.get("mails", key)
                if mail is not None and self._is_held(mail):
                    await inner.put("mails", key, self._leased(mail))
                    kept.add(key)
        return kept

    async def mark(self, mark: Mark) -> None:
        """Keep what became of a try."""
        key, outcome = Key(mark.mail.tenant, mark.mail.id), mark.answer.outcome
        async with self._memory.begin() as inner:
            await self.world.step("mark", key.id, outcome)
            await inner.hold(("mails", key))
            mail: Mail = inner.get("mails", key)
            if mail.state != "queued":
                return
            if mail.lease_by != self.holder and outcome is not Outcome.ACCEPTED:
                return
            marked = replace(
                mail,
                state=STATES[outcome],
                due_at=mark.due_at,
                attempts=mail.attempts + 1,
                doubts=mail.doubts + (outcome is Outcome.UNKNOWN),
                outcome=outcome,
                gave_up=mark.answer.cause is not None,
                lease_by=None,
                lease_until=None,
            )
            await inner.put("mails", key, marked)

    async def give_back(self, keys: Sequence[Key]) -> None:
        """Let go."""
        async with self._memory.begin() as inner:
            await self.world.step("give back", len(keys))
            for key in sorted(keys, key=lambda one: one.id):
                await inner.hold(("mails", key))
                mail = inner.get("mails", key)
                if mail.lease_by == self.holder:
                    free = replace(mail, lease_by=None, lease_until=None)
                    await inner.put("mails", key, free)

    async def drop_old(self, now: datetime) -> int:
        """None is ever too old here."""
        return 0

    async def next_due(self, after: datetime) -> datetime | None:
        """When the next mail is due."""
        await self.world.step("next mail due")
        mails = self._memory.tables["mails"].values()
        return min(
            (one.due_at for one in mails if one.state == "queued" and one.due_at > after),
            default=None,
        )

    def _leased(self, mail: Mail) -> Mail:
        return replace(mail, lease_by=self.holder, lease_until=self._db_now() + LEASE)


@dataclass
class Ending:
    """A final dot: whose, and what became of it."""

    process: Process | None
    holder: str
    is_taken: bool  # the relay has the mail
    at_s: float
    is_answered: bool = False  # and its sender knows


class Mailing:
    """The mails, the relay's script, and what must hold."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.memory = Memory(world, "notifier")
        self.scripts: dict[UUID, str] = {}
        self.tries: dict[UUID, int] = defaultdict(int)
        self.endings: dict[UUID, list[Ending]] = defaultdict(list)
        self.copies = 0
        self.is_quiet = False
        self.memory.after.append(self.look)
        self.memory.checks.append(self._at_commit)

    def mail(self, key: Key) -> Mail:
        """As it is committed."""
        mail: Mail = self.memory.tables["mails"][key]
        return mail

    def ends(self, key: Key, holder: str, *, is_taken: bool) -> Ending:
        """The final dot is sent. Whoever sends it holds the mail; a copy has its reason."""
        check, mail = self.world.check, self.mail(key)
        now = BEGINNING + timedelta(seconds=self.world.loop.time())
        is_held = (
            mail.state == "queued"
            and mail.lease_by == holder
            and mail.lease_until is not None
            and mail.lease_until > now
        )
        check(is_held, "whoever ends a mail holds its lease", key.id, mail, holder)
        for other in self.endings[key.id]:
            if other.is_taken:
                self.copies += 1
                is_dead = other.process is not None and other.process.is_dead
                age_s = self.world.loop.time() - other.at_s
                is_late = age_s >= LEASE.total_seconds() - Steps.FRESH_S  # it could not mark it
                excused = is_dead or not other.is_answered or is_late
                check(excused, "a copy only after a crash or without an answer", key.id)
        ending = Ending(CURRENT.get(), holder, is_taken, self.world.loop.time())
        self.endings[key.id].append(ending)
        return ending

    def _at_commit(self, transaction: Transaction) -> None:
        for (table, key), new in transaction.writes.items():
            old = self.memory.tables[table].get(key)
            if table != "mails" or old is None:
                continue
            taken = any(one.is_taken for one in self.endings[key.id])
            if new.state == "accepted" != old.state:
                self.world.check(taken, "what is marked as accepted was taken", key.id)
            if new.state == "refused" != old.state:
                is_due = new.gave_up or self.scripts[key.id] == "refuses"
                self.world.check(is_due, "what is refused was refused", key.id)
            self.world.check(
                old.state == "queued", "what has come to its end stays so", key.id, old, new
            )

    def look(self) -> None:
        """Has every mail come to its end?"""
        mails = self.memory.tables["mails"].values()
        if self.is_quiet and all(mail.state != "queued" for mail in mails):
            for mail in mails:
                accepted = mail.state == "accepted"
                due = accepted or mail.gave_up or self.scripts[mail.key.id] == "refuses"
                self.world.check(due, "no mail is lost", mail)
            self.world.finish()


class ScriptedLine:
    """`services.notifier.delivery.steps.Line`: a relay that does what the mail's script says."""

    def __init__(self, mailing: Mailing, holder: str) -> None:
        self._mailing = mailing
        self._world = mailing.world
        self._holder = holder

    async def connect(self) -> None:
        """Sometimes nobody answers."""
        await self._world.step("connect")
        if self._world.chance(self._world.faults.lose_connection * 2):
            raise RelayAway("TimeoutError")

    async def send(self, letter: Letter, may_end: MayEnd) -> Answer | None:
        """One dialogue."""
        world, mailing = self._world, self._mailing
        tenant, id = (UUID(one) for one in letter.message.decode().split())
        key, script = Key(tenant, id), mailing.scripts[id]
        mailing.tries[id] += 1
        await world.step("offer", id, script)
        if script == "refuses":
            return judged(550, "no such mailbox")
        if script == "greylists" and mailing.tries[id] <= 2:
            return judged(451, "come again")
        if script == "slow" and not mailing.is_quiet:
            await asyncio.sleep(world.random.choice((2.0, 20.0, 70.0)))
        if not await may_end():
            return None
        drops = script == "drops" and world.chance(0.5) and not mailing.is_quiet
        is_taken = not drops or world.chance(0.5)
        ending = mailing.ends(key, self._holder, is_taken=is_taken)
        if script == "slow to answer" and not mailing.is_quiet:
            await asyncio.sleep(world.random.choice((2.0, 20.0, 70.0)))
        try:
            await world.step("dot", id)
        except ConnectionLost:
            return lost(perhaps_taken=True, words="lost")
        if drops:
            return lost(perhaps_taken=True, words="dropped")
        ending.is_answered = True
        return judged(250, "taken")

    async def rest(self) -> None:
        """Kept."""

    async def close(self) -> None:
        """At once."""


@dataclass
class ScriptedRelay:
    """`services.notifier.delivery.steps.Relay`."""

    mailing: Mailing
    holder: str
    name: str = ""
    connections: int = 2

    def line(self) -> Line:
        """One more connection."""
        return ScriptedLine(self.mailing, self.holder)


class PlainLetters:
    """`services.notifier.delivery.steps.Letters`."""

    async def message_id(self, key: Key) -> str:
        """Of the mail."""
        return f"<{key.id}@example.org>"

    async def letter(self, mail: Taken, sent_at: datetime) -> Letter:
        """Nothing but its name."""
        return Letter("from@example.org", mail.address, f"{mail.tenant} {mail.id}".encode())


@dataclass(frozen=True)
class MailParts:
    """What a run is made of. A deliberate bug is another class in the place of one of these."""

    queue: type[MemoryQueue] = MemoryQueue
    steps: type[Steps] = Steps
    deliverer: type[Deliverer] = field(default=Deliverer)


def deliver_mails(seed: int, parts: MailParts | None = None, *, traced: bool = False) -> World:
    """Run a seed. Raises Violation where a promise is broken."""
    world = World(seed, traced=traced)
    parts = parts or MailParts()
    mailing = Mailing(world)
    world.faults = replace(faults_of(world), stall=world.random.choice((0.0, 0.01, 0.04)))

    def main(process: Process) -> list[Coroutine[Any, Any, None]]:
        holder = f"{process.name}#{process.number}"
        queue = parts.queue(mailing.memory, holder)
        deliverer = parts.deliverer(
            queue,
            ScriptedRelay(mailing, holder),
            PlainLetters(),
            patience=PATIENCE,
            now=world.now,
        )
        return [deliverer.run(asyncio.Event())]

    async def customers() -> None:
        tenants = [world.new_id() for _ in range(2)]
        for _ in range(world.random.choice((4, 8, 16))):
            await asyncio.sleep(world.random.choice((0.0, 0.1, 2.0)))
            key = Key(world.random.choice(tenants), world.new_id())
            mailing.scripts[key.id] = world.random.choice(SCRIPTS)
            template = world.random.choice(list(Template))
            async with mailing.memory.begin() as inner:
                await inner.put("mails", key, Mail(key, template, world.now()))
        await asyncio.sleep(world.random.uniform(0, 90.0))
        world.tell("the faults stop")
        world.faults, mailing.is_quiet = QUIET, True
        world.put_clocks_right()
        mailing.look()
        world.loop.call_later(
            LIVENESS_S, lambda: world.check(False, "every mail comes to its end", "too late")
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retries, "random", world.random)
        patch.setattr(deliver, "Steps", parts.steps)
        for module in (deliver, steps):
            patch.setattr(module, "log", Log(world))
        for _ in range(2):
            world.start("delivery", main)
        world.spawn(customers())
        world.run()
    return world
