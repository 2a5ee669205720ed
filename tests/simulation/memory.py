"""A database in memory: tables, transactions and locks, as PostgreSQL's where the steps rely on it.

Transactions read what is committed and what they wrote themselves (READ COMMITTED); each verb is
one statement. Who writes what another holds waits for its end, who claims passes it over. Of who
is gone the locks are freed a little later, when the server has noticed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from tests.simulation.world import CURRENT, ConnectionLost, Process, World

Place = tuple[str, Any]
"""A row: its table and its key. Locks that belong to no row have such names too."""


class Deadlock(Exception):
    """Two transactions wait for each other: one is undone, as PostgreSQL does."""


class Transaction:
    """What one transaction wrote and holds."""

    def __init__(self, memory: "Memory") -> None:
        self._memory = memory
        self.process = CURRENT.get()
        self.writes: dict[Place, Any] = {}
        self.holds: dict[Place, None] = {}
        self.is_over = False
        self.awaits: Transaction | None = None
        self.ended = asyncio.Event()
        self.began_s = memory.world.loop.time()

    def get(self, table: str, key: Any) -> Any:
        """The row as this transaction sees it, or None."""
        place = (table, key)
        return self.writes[place] if place in self.writes else self._memory.tables[table].get(key)

    def scan(self, table: str) -> Iterator[tuple[Any, Any]]:
        """All rows of a table as this transaction sees them."""
        rows = self._memory.tables[table]
        own = {key: row for (name, key), row in self.writes.items() if name == table}
        if own:
            rows = {**rows, **own}
        return ((key, row) for key, row in list(rows.items()) if row is not None)

    def may_hold(self, place: Place) -> bool:
        """Take a lock unless another has it. Raises ConnectionLost once the server undid this."""
        if self.is_over:
            raise ConnectionLost
        holder = self._memory.locks.setdefault(place, self)
        if holder is self:
            self.holds[place] = None
        return holder is self

    async def hold(self, place: Place) -> None:
        """Take a lock, when whoever has it has ended."""
        while not self.may_hold(place):
            holder: Transaction | None = self._memory.locks[place]
            self.awaits = holder
            while holder is not None:
                holder = holder.awaits
                if holder is self:
                    self.awaits = None
                    raise Deadlock
            try:
                await self._memory.locks[place].ended.wait()
            finally:
                self.awaits = None

    async def put(self, table: str, key: Any, row: Any) -> None:
        """Write a row (None: delete it), when whoever holds it has ended."""
        await self.hold((table, key))
        self.writes[table, key] = row


class Memory:
    """The tables of one service, and who holds what."""

    TABLES = (
        "inbox",
        "seen",
        "projected",
        "ended",
        "outbox",
        "notes",
        "mails",
        "effects",
        "kept",
    )

    def __init__(self, world: World, service: str) -> None:
        self.world = world
        self.service = service
        self.tables: dict[str, dict[Any, Any]] = {name: {} for name in self.TABLES}
        self.locks: dict[Place, Transaction] = {}
        self.open: dict[Transaction, None] = {}
        self.checks: list[Callable[[Transaction], None]] = []
        """Called before each commit with what is about to be."""
        self.after: list[Callable[[], None]] = []
        """Called after each commit."""
        self._position = 0
        world.when_dead.append(self._abandon)

    def next_position(self) -> int:
        """A number greater than all before, as an identity column gives."""
        self._position += 1
        return self._position

    def open_one(self) -> Transaction:
        """A transaction of the current process, which somebody is to end."""
        transaction = Transaction(self)
        self.open[transaction] = None
        return transaction

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """A transaction, committed when the block ends well and undone otherwise."""
        world, process = self.world, CURRENT.get()
        if process is not None and process.is_dead:
            await world.never()
        transaction = self.open_one()
        try:
            yield transaction
            await world.step("commit")
            if process is not None and world.chance(world.faults.crash_at_commit):
                if world.chance(0.5):
                    self.commit(transaction)
                await world.die()
            if process is not None and world.chance(world.faults.lose_at_commit):
                if world.chance(0.5):
                    self.commit(transaction)
                world.tell("connection lost at commit")
                raise ConnectionLost
        except ConnectionLost:
            self._undo_later(transaction)
            raise
        except BaseException:
            self.undo(transaction)
            raise
        if transaction.is_over:  # the server undid it meanwhile
            raise ConnectionLost
        self.commit(transaction)

    def commit(self, transaction: Transaction) -> None:
        """Let all see what it wrote."""
        for check in self.checks:
            check(transaction)
        for (table, key), row in transaction.writes.items():
            if row is None:
                self.tables[table].pop(key, None)
            else:
                self.tables[table][key] = row
        self._end(transaction)
        for callback in self.after:
            callback()

    def undo(self, transaction: Transaction) -> None:
        """Let nobody see what it wrote."""
        if not transaction.is_over:
            self._end(transaction)

    def _abandon(self, process: Process) -> None:
        for transaction in list(self.open):
            if transaction.process is process:
                self._undo_later(transaction)

    def _undo_later(self, transaction: Transaction) -> None:
        """The server has yet to notice that whose transaction it is has gone."""
        if not transaction.is_over:
            self.world.loop.call_later(
                self.world.random.choice((0.0, 0.01, 0.5)), self.undo, transaction
            )

    def _end(self, transaction: Transaction) -> None:
        transaction.is_over = True
        for place in transaction.holds:
            del self.locks[place]
        transaction.holds.clear()
        self.open.pop(transaction, None)
        transaction.ended.set()
