"""The inbox as PostgreSQL keeps it: each verb one statement, on the mover's connections."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database.connection import drop_role, take_role
from chassis.inbox import claim as sql
from chassis.inbox.notes import PostgresNotes
from chassis.inbox.verbs import FIRST_TENANT, Claimed, Key, Rest
from chassis.work import Database, UnitOfWork


class PostgresInbox:
    """A service's inbox in its database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def service(self) -> str:
        """Whose it is."""
        return self._database.service

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresTransaction"]:
        """A transaction as the mover."""
        async with self._database.mover.begin() as connection:
            yield PostgresTransaction(self._database, connection)

    def notes(self) -> PostgresNotes:
        """Notes on a connection of their own."""
        return PostgresNotes(self._database.mover_url, f"{self.service} worker")

    async def load_epoch(self) -> int:
        """The installation's epoch, read once a process."""
        return await self._database.load_epoch()

    async def ripen(self, now: datetime) -> int:
        """Make ready what is due."""
        async with self._database.mover.begin() as connection:
            return (await connection.execute(sql.RIPEN, {"now": now})).rowcount

    async def next_due(self) -> datetime | None:
        """When the first row that is not ready yet is due."""
        async with self._database.mover.connect() as connection:
            due_at: datetime | None = (await connection.execute(sql.NEXT_DUE)).scalar_one()
        return due_at

    async def lay_down(self, key: Key, rest: Rest) -> None:
        """Let a row rest that was not handled."""
        tenant, id, handler = key
        async with self._database.mover.begin() as connection:
            await connection.execute(
                sql.LAY_DOWN,
                {
                    "tenant": tenant,
                    "id": id,
                    "handler": handler,
                    "state": rest.state,
                    "due_at": rest.due_at,
                    "attempts": rest.attempts,
                    "awaits": rest.awaits,
                    "error": rest.error,
                },
            )

    async def forget_seen(self, before: datetime) -> None:
        """Forget which rows were handled before that instant."""
        async with self._database.mover.begin() as connection:
            await connection.execute(sql.FORGET_SEEN, {"before": before})


class PostgresTransaction:
    """One transaction on a connection of the mover's."""

    def __init__(self, database: Database, connection: AsyncConnection) -> None:
        self._database = database
        self._connection = connection
        self._acts_for: UUID | None = None
        """The tenant as whose *app* the connection acts; none: as the mover."""

    async def claim(self, cursor: UUID, *, most: int, each: int) -> tuple[list[Claimed], UUID]:
        """Up to `most` rows of the tenants after `cursor`, `each` of one, and where to go on."""
        found = await self._connection.execute(
            sql.CLAIM, {"cursor": cursor, "each": each, "most": most}
        )
        rows = found.all()
        following = rows[-1].tenant_id if len(rows) == most else FIRST_TENANT
        return [_claimed(row) for row in rows if row.locked], following

    async def claim_one(self, key: Key) -> Claimed | None:
        """That very row, or None while another holds it or one of its subjects."""
        tenant, id, handler = key
        found = await self._connection.execute(
            sql.CLAIM_ONE, {"tenant": tenant, "id": id, "handler": handler}
        )
        row = found.first()
        return _claimed(row) if row is not None and row.locked else None

    async def see(self, rows: Sequence[Claimed], now: datetime) -> set[Key]:
        """Note that these are handled. Answers which of them never were before."""
        fresh = await self._connection.execute(sql.SEE, {**_keys(rows), "now": now})
        return {(row.tenant_id, row.id, row.handler) for row in fresh}

    async def ended_among(self, rows: Sequence[Claimed]) -> set[tuple[UUID, UUID]]:
        """Which of the subjects that the rows concern have come to their end, by tenant."""
        pairs = [(row.tenant, subject) for row in rows for subject in row.concerned]
        found = await self._connection.execute(sql.ENDED, _pairs(pairs))
        return {(row.tenant_id, row.subject) for row in found}

    @asynccontextmanager
    async def handling(self, row: Claimed, epoch: int) -> AsyncIterator[UnitOfWork]:
        """A unit of work as *app*. The connection stays so until rows are removed or another
        tenant's is handled: rows of one tenant that follow each other pay for one round trip.
        """
        if self._acts_for != row.tenant:
            self._acts_for = row.tenant
            await take_role(self._connection, self._database.app_role, row.tenant)
        work = self._database.handling(self._connection, row.envelope, epoch)
        try:
            yield work
            await work.finish()
        finally:
            await work.db.close()

    async def is_newest(self, row: Claimed) -> bool:
        """Keep the row's (epoch, version) for its handler and subject. False if a newer is kept."""
        applied = await self._connection.execute(
            sql.APPLY,
            {
                "tenant": row.tenant,
                "handler": row.handler,
                "subject": row.envelope.subject,
                "epoch": row.envelope.epoch,
                "version": row.envelope.version,
            },
        )
        return applied.first() is not None

    async def remove(self, rows: Sequence[Claimed]) -> None:
        """Take rows that were handled out of the inbox, as the mover again."""
        if self._acts_for is not None:
            await drop_role(self._connection)
            self._acts_for = None
        await self._connection.execute(sql.REMOVE, _keys(rows))

    async def wake(self, rows: Sequence[Claimed]) -> None:
        """Make ready at once whatever awaits one of the subjects that these rows are about."""
        pairs = list(dict.fromkeys((row.tenant, row.subject) for row in rows))
        await self._connection.execute(sql.WAKE, _pairs(pairs))


def _pairs(pairs: Sequence[tuple[UUID, UUID]]) -> dict[str, Any]:
    """Tenants and subjects as two arrays, as the statements take them."""
    return {"tenants": [pair[0] for pair in pairs], "subjects": [pair[1] for pair in pairs]}


def _keys(rows: Sequence[Claimed]) -> dict[str, Any]:
    """The keys of rows as three arrays, as the statements take them."""
    return {
        "tenants": [row.tenant for row in rows],
        "ids": [row.id for row in rows],
        "handlers": [row.handler for row in rows],
    }


def _claimed(row: Any) -> Claimed:
    return Claimed(
        tenant=row.tenant_id,
        id=row.id,
        handler=row.handler,
        concerned=tuple(row.concerned),
        attempts=row.attempts,
        singly=row.singly,
        stored_at=row.stored_at,
        stored=row.envelope,
    )
