"""The worker: claims rows, handles them, marks them and commits, all in one transaction.

A crash frees its locks and undoes its effects, a repeat is a no-op. When a handler of a batch
fails, the batch is undone and each of its rows runs by itself, so that the others go on.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from chassis import clock
from chassis.inbox.handling import Effects, Handling, UnknownHandler
from chassis.inbox.verbs import FIRST_TENANT, Claimed, Inbox, Rest, Transaction
from chassis.problems import NotYet

log = structlog.get_logger()

SEEN_KEPT = timedelta(days=120)
"""Seen ids outlive the oldest backup, so that a restore handles nothing twice."""


@dataclass(frozen=True)
class Patience:
    """How often and how long a row is tried before it is dead."""

    attempts: int = 10
    first_s: float = 1.0
    longest_s: float = 900.0
    awaits_s: float = 60.0  # a row that awaits a subject looks again at least this often
    awaits_for: timedelta = timedelta(days=7)

    def delay(self, attempts: int) -> timedelta:
        """How long to wait after so many failures: doubled each time, with jitter."""
        seconds = min(self.first_s * 2.0 ** (attempts - 1), self.longest_s)
        return timedelta(seconds=seconds * random.uniform(0.5, 1.5))


class Worker:
    """One claimer of a service's inbox. Several may run, in one process or in many."""

    BATCH = 50
    EACH = 10  # rows of one tenant in a batch
    POLL_S = 1.0
    HANDLER_TIMEOUT_S = 30.0
    ROUNDS_A_SWEEP = 20
    TIDY_EVERY_S = 30.0

    def __init__(
        self,
        inbox: Inbox,
        handling: Handling,
        *,
        patience: Patience | None = None,
        after_emit: Callable[[], None] = lambda: None,
        after_handled: Callable[[], None] = lambda: None,
    ) -> None:
        self._inbox = inbox
        self._handling = handling
        self._patience = patience or Patience()
        self._after_emit = after_emit
        self._after_handled = after_handled
        self._notes = inbox.notes()
        self._wake = asyncio.Event()
        self._stopping = False
        self._cursor = FIRST_TENANT
        self.handled = 0

    def wake(self) -> None:
        """There is something to claim."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the round under way, then return from `run`."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Claim and handle until stopped. Outlives the database's absences."""
        pause_s = 0.1
        loop = asyncio.get_running_loop()
        tidy_at = loop.time()  # not the clock's: that may be put right by hours
        while not self._stopping:
            try:
                if loop.time() >= tidy_at:
                    await self._tidy()
                    tidy_at = loop.time() + self.TIDY_EVERY_S
                await self.drain()
                await self._notes.clear()
                pause_s = 0.1
                await self._idle()
            except Exception as error:
                log.warning("inbox_paused", service=self._inbox.service, error=type(error).__name__)
                await self._wait(pause_s)
                pause_s = min(pause_s * 2, 5.0)
        try:
            async with asyncio.timeout(5):
                await self._notes.close()
        except Exception as error:
            log.warning("inbox_note_left", error=type(error).__name__)

    async def drain(self) -> int:
        """Handle what is ready or due until nothing is. Answers how many rows were run."""
        before, rounds = self.handled, 0
        while not self._stopping:
            if rounds % self.ROUNDS_A_SWEEP == 0:
                await self.ripen()
            rounds += 1
            if not await self.round():
                if await self.ripen() == 0:
                    break
        return self.handled - before

    async def ripen(self) -> int:
        """Make ready what is due. Answers how many rows that were."""
        return await self._inbox.ripen(clock.now())

    async def round(self) -> bool:
        """One claim and what follows. False when there was nothing to claim."""
        epoch = await self._inbox.load_epoch()
        rows: list[Claimed] = []
        alone: list[Claimed] = []
        try:
            async with self._inbox.begin() as transaction:
                rows = await self._claim(transaction)
                if not rows:
                    return False
                alone = [row for row in rows if self._handling.runs_alone(row)]
                together = [row for row in rows if not self._handling.runs_alone(row)]
                if together:
                    await self._notes.write(together, alone=False)
                    effects = await self._handle(transaction, together, epoch)
            if together:
                self._committed(effects, len(together))
        except Exception:
            if not rows:
                raise
            alone = rows
        for row in alone:
            await self._run_alone(row, epoch)
        return True

    async def _claim(self, transaction: Transaction) -> list[Claimed]:
        for _ in range(2):  # from the cursor on, then from the first tenant
            start = self._cursor
            rows, self._cursor = await transaction.claim(start, most=self.BATCH, each=self.EACH)
            if rows or start == FIRST_TENANT:
                return rows
        return []

    async def _handle(
        self, transaction: Transaction, rows: list[Claimed], epoch: int
    ) -> list[Effects]:
        fresh = await transaction.see(rows, clock.now())
        gone = await transaction.ended_among(rows)
        effects = []
        for row in rows:
            if row.key in fresh:
                async with asyncio.timeout(self.HANDLER_TIMEOUT_S):
                    effects.append(await self._handling.run(transaction, row, epoch, gone))
        await transaction.remove(rows)
        await transaction.wake(rows)
        return effects

    async def _run_alone(self, row: Claimed, epoch: int) -> None:
        """The row in a transaction of its own; a failure is noted on it.

        So is the loss of the connection while the row runs: once it is the database's, but what
        costs every one of its tries the connection must not keep the others. What goes wrong
        before that is no fault of the row's.
        """
        running = False
        try:
            async with self._inbox.begin() as transaction:
                held = await transaction.claim_one(row.key)
                if held is None:
                    return  # another worker's, or its subject's turn
                await self._notes.write([held], alone=True)
                running = True
                effects = await self._handle(transaction, [held], epoch)
        except NotYet as waits:
            await self._await(row, waits.subject)
        except Exception as error:
            if not running:
                raise
            await self._fail(row, error)
        else:
            self._committed(effects, 1)

    async def _await(self, row: Claimed, subject: UUID) -> None:
        now = clock.now()
        if now - row.stored_at > self._patience.awaits_for:
            gave_up = f"gave up waiting for {subject}"
            await self._lay_down(row, Rest("dead", now, row.attempts, subject, gave_up))
            log.error("event_dead", handler=row.handler, event_id=str(row.id), cause="waited")
            return
        # Looked for again soon at first: what it awaits may have been committed just before.
        age_s = max((now - row.stored_at).total_seconds(), 0.2)
        due_at = now + timedelta(seconds=min(age_s, self._patience.awaits_s))
        await self._lay_down(row, Rest("awaiting", due_at, row.attempts, subject))

    async def _fail(self, row: Claimed, error: Exception) -> None:
        attempts = row.attempts + 1
        dead = attempts >= self._patience.attempts or isinstance(error, UnknownHandler)
        due_at = clock.now() + self._patience.delay(attempts)
        # The kind of error and where it arose: its words may hold a person's data.
        rest = Rest("dead" if dead else "later", due_at, attempts, error=_cause(error))
        await self._lay_down(row, rest)
        log.log(
            40 if dead else 30,
            "event_dead" if dead else "event_retried",
            service=self._inbox.service,
            tenant=str(row.tenant),
            handler=row.handler,
            event_id=str(row.id),
            attempt=attempts,
            cause=_cause(error),
        )

    async def _lay_down(self, row: Claimed, rest: Rest) -> None:
        await self._inbox.lay_down(row.key, rest)
        await self._notes.clear()

    def _committed(self, effects: list[Effects], count: int) -> None:
        self.handled += count
        self._after_handled()
        if any(effect.emitted for effect in effects):
            self._after_emit()

    async def _tidy(self) -> None:
        if left := await self._notes.blame_the_left_behind():
            log.warning("inbox_worker_was_lost", service=self._inbox.service, notes=left)
        await self._inbox.forget_seen(clock.now() - SEEN_KEPT)

    async def _idle(self) -> None:
        due_at = await self._inbox.next_due()
        until_s = self.POLL_S
        if due_at is not None:
            until_s = min(max((due_at - clock.now()).total_seconds(), 0.01), self.POLL_S)
        await self._wait(until_s)

    async def _wait(self, seconds: float) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()


def _cause(error: BaseException) -> str:
    """An error as operators may read it: its kind and the place, not its words."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_name}:{place.tb_lineno}" if place else ""
    return f"{type(error).__module__}.{type(error).__qualname__}{where}"
