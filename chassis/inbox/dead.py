"""Dead rows: listed, inspected, replayed once the cause is mended, or discarded.

Each act is recorded with who did it, in the transaction that does it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.ids import new_id

COMMAND_LINE = "command line"

ACT = """
    INSERT INTO operator_acts
        (tenant_id, id, done_at, done_by, act, event_id, handler, type, error)
    SELECT tenant_id, :act_id, :now, :by, :act, id, handler, coalesce(envelope->>'type', ''), error
    FROM changed
"""

DEAD = "tenant_id = :tenant AND id = :id AND handler = :handler AND state = 'dead'"

REPLAY = text(f"""
    WITH dead AS (SELECT tenant_id, id, handler, error FROM inbox WHERE {DEAD} FOR UPDATE),
    revived AS (
        UPDATE inbox SET state = 'ready', attempts = 0, kills = 0, error = NULL
        FROM dead WHERE inbox.tenant_id = dead.tenant_id AND inbox.id = dead.id
            AND inbox.handler = dead.handler
        RETURNING inbox.tenant_id, inbox.id, inbox.handler, inbox.envelope
    ),
    changed AS (SELECT revived.*, dead.error FROM revived JOIN dead USING (tenant_id, id, handler))
    {ACT}
""")

DISCARD = text(f"""
    WITH changed AS (
        DELETE FROM inbox WHERE {DEAD} RETURNING tenant_id, id, handler, envelope, error
    )
    {ACT}
""")

LIST = """
    SELECT tenant_id, id, handler, coalesce(envelope->>'type', ''), attempts, error, stored_at
    FROM inbox WHERE state = 'dead' {only} ORDER BY stored_at LIMIT :most
"""

ACTS = text("""
    SELECT tenant_id, done_at, done_by, act, event_id, handler, type, error
    FROM operator_acts ORDER BY done_at DESC LIMIT :most
""")


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


@dataclass(frozen=True)
class Act:
    """What an operator did to an event by hand."""

    tenant: UUID
    done_at: datetime
    done_by: str
    act: str  # replayed, discarded
    event_id: UUID
    handler: str
    type: str
    error: str | None


async def dead_rows(
    mover: AsyncEngine, *, most: int = 100, tenant: UUID | None = None, id: UUID | None = None
) -> list[DeadRow]:
    """The dead, oldest first; where given, of that tenant alone, or of that event."""
    wanted = {"tenant_id": tenant, "id": id}
    only = {name: value for name, value in wanted.items() if value is not None}
    conditions = "".join(f" AND {name} = :{name}" for name in only)
    async with mover.connect() as connection:
        found = await connection.execute(text(LIST.format(only=conditions)), {"most": most, **only})
        return [DeadRow(*row) for row in found]


async def acts(mover: AsyncEngine, *, most: int = 50) -> list[Act]:
    """What operators did, latest first."""
    async with mover.connect() as connection:
        return [Act(*row) for row in await connection.execute(ACTS, {"most": most})]


async def replay(mover: AsyncEngine, tenant: UUID, id: UUID, handler: str, *, by: str) -> bool:
    """Have a dead row tried again, as if it had just come. False where there is none."""
    return await _act(mover, REPLAY, "replayed", tenant, id, handler, by)


async def discard(mover: AsyncEngine, tenant: UUID, id: UUID, handler: str, *, by: str) -> bool:
    """Let a dead row go without effect. False where there is none."""
    return await _act(mover, DISCARD, "discarded", tenant, id, handler, by)


async def _act(
    mover: AsyncEngine,
    statement: TextClause,
    act: str,
    tenant: UUID,
    id: UUID,
    handler: str,
    by: str,
) -> bool:
    async with mover.begin() as connection:
        found = await connection.execute(
            statement,
            {
                "tenant": tenant,
                "id": id,
                "handler": handler,
                "act_id": new_id(),
                "now": clock.now(),
                "by": by,
                "act": act,
            },
        )
        return found.rowcount == 1
