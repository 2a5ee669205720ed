"""The SQL of the inbox, as the mover: claiming in turn, marking, waking, failing.

Tenants come in turn by a loose index scan from a cursor, a few rows of each, so that one tenant's
backlog costs the others nothing. Within a subject one row at a time: an advisory lock on each
subject that a row concerns, tried on what was claimed (docs/decisions/0005).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.event import Envelope

FIRST_TENANT = UUID(int=0)

_LOCK = "pg_try_advisory_xact_lock(hashtextextended({tenant}::text || subject::text, 0))"

_LOCKED = f"""
    (SELECT bool_and({_LOCK.format(tenant="claimed.tenant_id")})
     FROM unnest(claimed.concerned) AS subject)
"""

# Hold further subjects until the transaction ends, as a claim would. Answers who has them already.
HOLD = text(f"""
    SELECT subject FROM unnest(CAST(:subjects AS uuid[])) AS subject
    WHERE NOT {_LOCK.format(tenant="CAST(:tenant AS uuid)")}
""")

_COLUMNS = "tenant_id, id, handler, concerned, attempts, singly, stored_at, envelope"

# Waiting tenants from the cursor on, one index probe each; of each a few rows; up to the batch.
CLAIM = text(f"""
    WITH RECURSIVE turn AS (
        (SELECT tenant_id FROM inbox
         WHERE state = 'ready' AND tenant_id > :cursor ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT inbox.tenant_id FROM inbox
                WHERE state = 'ready' AND inbox.tenant_id > turn.tenant_id
                ORDER BY inbox.tenant_id LIMIT 1)
        FROM turn WHERE turn.tenant_id IS NOT NULL
    ), claimed AS MATERIALIZED (
        SELECT waiting.* FROM turn CROSS JOIN LATERAL (
            SELECT {_COLUMNS} FROM inbox
            WHERE inbox.tenant_id = turn.tenant_id AND state = 'ready'
            ORDER BY position LIMIT :each FOR UPDATE SKIP LOCKED
        ) AS waiting
        WHERE turn.tenant_id IS NOT NULL LIMIT :most
    )
    SELECT *, {_LOCKED} AS locked FROM claimed
""")

CLAIM_ONE = text(f"""
    WITH claimed AS MATERIALIZED (
        SELECT {_COLUMNS} FROM inbox
        WHERE tenant_id = :tenant AND id = :id AND handler = :handler AND state = 'ready'
        FOR UPDATE SKIP LOCKED
    )
    SELECT *, {_LOCKED} AS locked FROM claimed
""")

_KEYS = """
    unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:handlers AS text[]))
        AS key (tenant_id, id, handler)
"""

SEE = text(f"""
    INSERT INTO inbox_seen (tenant_id, id, handler, seen_at)
    SELECT tenant_id, id, handler, :now FROM {_KEYS}
    ON CONFLICT DO NOTHING RETURNING tenant_id, id, handler
""")

DONE = text(f"""
    DELETE FROM inbox USING {_KEYS}
    WHERE inbox.tenant_id = key.tenant_id AND inbox.id = key.id AND inbox.handler = key.handler
""")

# Whoever awaited one of these subjects is tried again at once.
WAKE = text("""
    UPDATE inbox SET state = 'ready', awaits = NULL
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:subjects AS uuid[])) AS arrived (tenant, subject)
    WHERE state = 'awaiting' AND tenant_id = arrived.tenant AND awaits = arrived.subject
""")

# What is due becomes ready: timers, retries, and those who waited long enough to look again.
RIPEN = text("""
    UPDATE inbox SET state = 'ready', awaits = NULL
    WHERE (tenant_id, id, handler) IN (
        SELECT tenant_id, id, handler FROM inbox
        WHERE state IN ('later', 'awaiting') AND due_at <= :now
        ORDER BY due_at LIMIT 500 FOR UPDATE SKIP LOCKED)
""")

NEXT_DUE = text("SELECT min(due_at) FROM inbox WHERE state IN ('later', 'awaiting')")

FAIL = text("""
    UPDATE inbox SET state = :state, due_at = :due_at, attempts = :attempts, awaits = :awaits,
        error = :error
    WHERE tenant_id = :tenant AND id = :id AND handler = :handler AND state <> 'dead'
""")

FORGET_SEEN = text("DELETE FROM inbox_seen WHERE seen_at < :before")

SEEN_KEPT = timedelta(days=120)
"""Seen ids outlive the oldest backup, so that a restore handles nothing twice."""


@dataclass(frozen=True)
class Claimed:
    """A row of the inbox that this transaction holds."""

    tenant: UUID
    id: UUID
    handler: str
    concerned: tuple[UUID, ...]
    attempts: int
    singly: bool
    stored_at: datetime
    stored: Any
    """The envelope as JSON: what can't be read is found out by whoever handles it, alone."""

    @cached_property
    def envelope(self) -> Envelope:
        """What came. Raises ValidationError."""
        return Envelope.model_validate(self.stored)

    @property
    def subject(self) -> UUID:
        """Whom it is about."""
        return self.concerned[0]

    @property
    def key(self) -> tuple[UUID, UUID, str]:
        """What names the row."""
        return (self.tenant, self.id, self.handler)


def keys(rows: Sequence[Claimed]) -> dict[str, Any]:
    """The keys of rows as three arrays, as the statements take them."""
    return {
        "tenants": [row.tenant for row in rows],
        "ids": [row.id for row in rows],
        "handlers": [row.handler for row in rows],
    }


async def claim(
    connection: AsyncConnection, cursor: UUID, *, most: int, each: int
) -> tuple[list[Claimed], UUID]:
    """Up to `most` rows of the tenants after `cursor`, `each` of one, and where to go on."""
    found = await connection.execute(CLAIM, {"cursor": cursor, "each": each, "most": most})
    rows = found.all()
    following = rows[-1].tenant_id if len(rows) == most else FIRST_TENANT
    return [_claimed(row) for row in rows if row.locked], following


async def claim_one(connection: AsyncConnection, key: tuple[UUID, UUID, str]) -> Claimed | None:
    """That very row, or None while another holds it or its subject."""
    tenant, id, handler = key
    found = await connection.execute(CLAIM_ONE, {"tenant": tenant, "id": id, "handler": handler})
    row = found.first()
    return _claimed(row) if row is not None and row.locked else None


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
