"""Dead rows: listed, inspected, replayed once the cause is mended, or discarded."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True)
class DeadRow:
    """An event that a handler could not handle, and why."""

    tenant: UUID
    id: UUID
    handler: str
    type: str
    attempts: int
    error: str
    stored_at: datetime


async def dead_rows(mover: AsyncEngine, *, most: int = 100) -> list[DeadRow]:
    """The dead, oldest first."""
    async with mover.connect() as connection:
        found = await connection.execute(
            text("""
                SELECT tenant_id, id, handler, coalesce(envelope->>'type', ''), attempts, error,
                    stored_at
                FROM inbox WHERE state = 'dead' ORDER BY stored_at LIMIT :most
            """),
            {"most": most},
        )
        return [DeadRow(*row) for row in found]


async def replay(mover: AsyncEngine, tenant: UUID, id: UUID, handler: str) -> bool:
    """Have a dead row tried again, as if it had just come. False where there is none."""
    async with mover.begin() as connection:
        found = await connection.execute(
            text("""
                UPDATE inbox SET state = 'ready', attempts = 0, kills = 0, error = NULL
                WHERE tenant_id = :tenant AND id = :id AND handler = :handler AND state = 'dead'
            """),
            {"tenant": tenant, "id": id, "handler": handler},
        )
        return found.rowcount == 1


async def discard(mover: AsyncEngine, tenant: UUID, id: UUID, handler: str) -> bool:
    """Let a dead row go without effect. False where there is none."""
    async with mover.begin() as connection:
        found = await connection.execute(
            text("""
                DELETE FROM inbox
                WHERE tenant_id = :tenant AND id = :id AND handler = :handler AND state = 'dead'
            """),
            {"tenant": tenant, "id": id, "handler": handler},
        )
        return found.rowcount == 1
