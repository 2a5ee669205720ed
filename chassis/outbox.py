"""The outbox as PostgreSQL keeps it, and the notice that tells other processes of a commit."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database.notices import hear, tell
from chassis.work import Database
from contracts.event import Envelope

CHANNEL = "outbox"

CLAIM = text("""
    SELECT tenant_id, id, envelope FROM outbox WHERE sent_at IS NULL
    ORDER BY position LIMIT :most FOR UPDATE SKIP LOCKED
""")

MARK = text("""
    UPDATE outbox SET sent_at = :now
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[])) AS key (tenant_id, id)
    WHERE outbox.tenant_id = key.tenant_id AND outbox.id = key.id
""")

# All of it, from the first key on, a piece at a time. It waits for who publishes or marks a row.
SEND_AGAIN = text("""
    WITH piece AS MATERIALIZED (
        SELECT tenant_id, id FROM outbox WHERE (tenant_id, id) > (:tenant, :id)
        ORDER BY tenant_id, id LIMIT :most FOR UPDATE
    ), unsent AS (
        UPDATE outbox SET sent_at = NULL FROM piece
        WHERE outbox.tenant_id = piece.tenant_id AND outbox.id = piece.id
    )
    SELECT tenant_id, id FROM piece ORDER BY tenant_id DESC, id DESC
""")

FORGET = text("DELETE FROM outbox WHERE sent_at < :before")


class PostgresOutbox:
    """A service's outbox in its database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def service(self) -> str:
        """Whose it is."""
        return self._database.service

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresOutboxTransaction"]:
        """A transaction as the mover."""
        async with self._database.mover.begin() as connection:
            yield PostgresOutboxTransaction(connection)

    async def forget(self, before: datetime) -> None:
        """Delete what was sent before that instant."""
        async with self._database.mover.begin() as connection:
            await connection.execute(FORGET, {"before": before})

    async def listen(self, heard: Callable[[], None]) -> None:
        """Hear the notices of other processes, connecting anew whenever that is lost."""
        await hear(self._database.mover_url, CHANNEL, heard, application=f"{self.service} listener")


class PostgresOutboxTransaction:
    """One transaction on a connection of the mover's."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, most: int) -> list[Envelope]:
        """The oldest unsent that nobody else holds."""
        rows = await self._connection.execute(CLAIM, {"most": most})
        return [Envelope.model_validate(row.envelope) for row in rows]

    async def mark(self, envelopes: Sequence[Envelope], now: datetime) -> None:
        """They were sent."""
        await self._connection.execute(
            MARK,
            {
                "now": now,
                "tenants": [envelope.tenant for envelope in envelopes],
                "ids": [envelope.id for envelope in envelopes],
            },
        )


async def send_all_again(database: Database, *, piece: int = 5_000) -> int:
    """Have all that the outbox keeps published once more. Answers how many events that is.

    For when a queue was lost with what it held. Inboxes pass over what they have had.
    """
    last, count = (UUID(int=0), UUID(int=0)), 0
    while True:
        async with database.mover.begin() as connection:
            rows = await connection.execute(
                SEND_AGAIN, {"tenant": last[0], "id": last[1], "most": piece}
            )
            keys = rows.all()
        if not keys:
            return count
        last, count = (keys[0].tenant_id, keys[0].id), count + len(keys)


def notifying(database: Database) -> Callable[[], Awaitable[None]]:
    """What wakes the publishers of other processes, after a commit, on a connection of its own."""
    return partial(tell, database.mover_url, CHANNEL, application=f"{database.service} notice")
