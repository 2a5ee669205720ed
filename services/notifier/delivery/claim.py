"""The SQL of the queue, as the mover: leasing due mails in turn, and taking one to be sent.

Tenants come in turn by a loose index scan from a cursor, a few mails of each, so that one
tenant's thousand costs the others nothing. A suspended tenant's mails are held. Leases are told
by the database's clock: delivery may run on several machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

FIRST_TENANT = UUID(int=0)

CLAIM = text("""
    WITH RECURSIVE turn AS (
        (SELECT tenant_id FROM mails
         WHERE state = 'queued' AND tenant_id > :cursor ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT mails.tenant_id FROM mails
                WHERE state = 'queued' AND mails.tenant_id > turn.tenant_id
                ORDER BY mails.tenant_id LIMIT 1)
        FROM turn WHERE turn.tenant_id IS NOT NULL
    ), due AS MATERIALIZED (
        SELECT waiting.* FROM turn
        JOIN tenant_projections AS tenant
            ON tenant.tenant_id = turn.tenant_id AND tenant.state = 'active'
        CROSS JOIN LATERAL (
            SELECT mails.tenant_id, mails.id FROM mails
            WHERE mails.tenant_id = turn.tenant_id AND mails.state = 'queued'
                AND due_at <= :now AND drop_after > :now
                AND (lease_until IS NULL OR lease_until <= clock_timestamp() OR lease_by = :holder)
            ORDER BY due_at LIMIT :each FOR UPDATE SKIP LOCKED
        ) AS waiting
        LIMIT :most
    )
    UPDATE mails SET lease_by = :holder,
        lease_until = clock_timestamp() + CAST(:lease AS interval)
    FROM due WHERE mails.tenant_id = due.tenant_id AND mails.id = due.id
    RETURNING mails.tenant_id, mails.id
""")

# What may have happened since the claim: another took the mail over, it was erased, the tenant
# was suspended. Then it is not sent.
TAKE = text("""
    UPDATE mails SET lease_until = clock_timestamp() + CAST(:lease AS interval),
        message_id = coalesce(message_id, :message_id)
    WHERE tenant_id = :tenant AND id = :id AND state = 'queued' AND drop_after > :now
        AND lease_by = :holder AND lease_until > clock_timestamp()
        AND EXISTS (SELECT FROM tenant_projections AS tenant
                    WHERE tenant.tenant_id = :tenant AND tenant.state = 'active')
    RETURNING template, facts, address, language, link_id, message_id, attempts, traceparent
""")

GIVE_BACK = text("""
    UPDATE mails SET lease_by = NULL, lease_until = NULL
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[])) AS key (tenant_id, id)
    WHERE mails.tenant_id = key.tenant_id AND mails.id = key.id AND lease_by = :holder
""")

FREE_ALL = text("UPDATE mails SET lease_by = NULL, lease_until = NULL WHERE lease_by IS NOT NULL")

DROP = text("""
    UPDATE mails SET state = 'dropped', facts = '{}', lease_by = NULL, lease_until = NULL
    WHERE state = 'queued' AND drop_after <= :now
        AND (lease_until IS NULL OR lease_until <= clock_timestamp())
""")

NEXT_DUE = text("SELECT min(due_at) FROM mails WHERE state = 'queued' AND due_at > :after")


@dataclass(frozen=True)
class Key:
    """What names a mail."""

    tenant: UUID
    id: UUID


@dataclass(frozen=True)
class Taken:
    """A mail to be sent now, as it stands in the queue."""

    tenant: UUID
    id: UUID
    template: str
    facts: dict[str, Any]
    address: str
    language: str
    link_id: UUID | None
    message_id: str
    attempts: int  # before this one
    traceparent: str | None

    @property
    def key(self) -> Key:
        """What names it."""
        return Key(self.tenant, self.id)


class Queue:
    """The queue as one holder of leases sees it."""

    def __init__(self, mover: AsyncEngine, holder: str, lease: timedelta) -> None:
        self._mover = mover
        self._holder = holder
        self._lease = lease
        self._cursor = FIRST_TENANT

    async def claim(self, now: datetime, *, most: int, each: int) -> list[Key]:
        """Lease up to `most` due mails, `each` of one tenant, going on where the last one ended.

        Who claims has nothing under way: what they still hold of before, they get again.
        """
        for start in dict.fromkeys((self._cursor, FIRST_TENANT)):
            async with self._mover.begin() as connection:
                found = await connection.execute(
                    CLAIM,
                    {
                        "cursor": start,
                        "now": now,
                        "most": most,
                        "each": each,
                        "holder": self._holder,
                        "lease": self._lease,
                    },
                )
                keys = [Key(*row) for row in found]
            full = len(keys) == most
            self._cursor = max(key.tenant for key in keys) if full else FIRST_TENANT
            if keys:
                return keys
        return []

    async def take(self, key: Key, message_id: str, now: datetime) -> Taken | None:
        """The mail to be sent within a lease from now, or None where it may not be any more."""
        async with self._mover.begin() as connection:
            found = await connection.execute(
                TAKE,
                {
                    "tenant": key.tenant,
                    "id": key.id,
                    "now": now,
                    "message_id": message_id,
                    "holder": self._holder,
                    "lease": self._lease,
                },
            )
            row = found.first()
        return None if row is None else Taken(key.tenant, key.id, **row._mapping)

    async def give_back(self, keys: Sequence[Key]) -> None:
        """Let go of what was claimed and will not be tried now."""
        async with self._mover.begin() as connection:
            await connection.execute(
                GIVE_BACK,
                {
                    "tenants": [key.tenant for key in keys],
                    "ids": [key.id for key in keys],
                    "holder": self._holder,
                },
            )

    async def drop_old(self, now: datetime) -> int:
        """Drop what was not sent in its time. Answers how many mails that were."""
        async with self._mover.begin() as connection:
            return (await connection.execute(DROP, {"now": now})).rowcount

    async def next_due(self, after: datetime) -> datetime | None:
        """When the first mail that was not due at `after` yet is to be tried."""
        async with self._mover.connect() as connection:
            due_at: datetime | None = (
                await connection.execute(NEXT_DUE, {"after": after})
            ).scalar_one()
        return due_at


async def free_all_leases(mover: AsyncEngine) -> None:
    """Forget every lease: for who knows that no delivery lives, as at the start of a whole."""
    async with mover.begin() as connection:
        await connection.execute(FREE_ALL)
