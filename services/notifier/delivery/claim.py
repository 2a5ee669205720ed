"""The queue in the database, as the mover: leasing due mails in turn, taking, renewing, marking.

Tenants come in turn by a loose index scan from a cursor, a few mails of each, so that one tenant's
thousand costs the others nothing. A suspended tenant's mails are held. Leases are told by the
database's clock: delivery runs on many machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.work import Database
from services.notifier.delivery.combining import Combining
from services.notifier.delivery.mails import Key, Taken
from services.notifier.delivery.mark import Mark, drop_old, mark_all
from services.notifier.delivery.turns import Turns
from services.notifier.domain.kinds import Priority

CLAIM = text("""
    WITH RECURSIVE turn AS (
        (SELECT tenant_id FROM mails
         WHERE state = 'queued' AND priority = :priority AND tenant_id > :cursor
         ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT mails.tenant_id FROM mails
                WHERE state = 'queued' AND priority = :priority
                    AND mails.tenant_id > turn.tenant_id
                ORDER BY mails.tenant_id LIMIT 1)
        FROM turn WHERE turn.tenant_id IS NOT NULL
    ), due AS MATERIALIZED (
        SELECT waiting.* FROM turn
        JOIN tenant_projections AS tenant
            ON tenant.tenant_id = turn.tenant_id AND tenant.state = 'active'
                AND (tenant.facts ->> 'slug' = ANY (CAST(:slugs AS text[]))) = :listed
        CROSS JOIN LATERAL (
            SELECT mails.tenant_id, mails.id FROM mails
            WHERE mails.tenant_id = turn.tenant_id AND mails.state = 'queued'
                AND priority = :priority AND due_at <= :now AND drop_after > :now
                AND (lease_until IS NULL OR lease_until <= clock_timestamp())
            ORDER BY due_at LIMIT :each FOR UPDATE SKIP LOCKED
        ) AS waiting
        LIMIT :most
    )
    UPDATE mails SET lease_by = :holder,
        lease_until = clock_timestamp() + CAST(:lease AS interval)
    FROM due WHERE mails.tenant_id = due.tenant_id AND mails.id = due.id
    RETURNING mails.tenant_id, mails.id
""")

_KEYS = "unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]))"

# What may have happened since the claim: another took the mail over, it was erased, the tenant
# was suspended. Then it is not sent.
TAKE = text("""
    UPDATE mails SET lease_until = clock_timestamp() + CAST(:lease AS interval),
        message_id = coalesce(mails.message_id, given.message_id)
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:message_ids AS text[]))
            AS given (tenant_id, id, message_id)
        JOIN tenant_projections AS tenant
            ON tenant.tenant_id = given.tenant_id AND tenant.state = 'active'
    WHERE mails.tenant_id = given.tenant_id AND mails.id = given.id AND mails.state = 'queued'
        AND drop_after > :now AND lease_by = :holder AND lease_until > clock_timestamp()
    RETURNING mails.tenant_id, mails.id, template, event_id, about, attempts, version,
        mails.facts, address, language, link_id, mails.message_id, traceparent, doubts, relay
""")

RENEW = text(f"""
    UPDATE mails SET lease_until = clock_timestamp() + CAST(:lease AS interval)
    FROM {_KEYS} AS key (tenant_id, id)
    WHERE mails.tenant_id = key.tenant_id AND mails.id = key.id AND mails.state = 'queued'
        AND lease_by = :holder AND lease_until > clock_timestamp()
    RETURNING mails.tenant_id, mails.id
""")

GIVE_BACK = text(f"""
    UPDATE mails SET lease_by = NULL, lease_until = NULL
    FROM {_KEYS} AS key (tenant_id, id)
    WHERE mails.tenant_id = key.tenant_id AND mails.id = key.id AND lease_by = :holder
""")

FREE_ALL = text("UPDATE mails SET lease_by = NULL, lease_until = NULL WHERE lease_by IS NOT NULL")

NEXT_DUE = text("SELECT min(due_at) FROM mails WHERE state = 'queued' AND due_at > :after")


@dataclass(frozen=True)
class Share:
    """Whose mails: of the tenants with these slugs, or of all others."""

    slugs: tuple[str, ...] = ()
    listed: bool = False


ALL = Share()


class StoredQueue:
    """The queue as one holder of leases sees it."""

    DROPPED_AT_ONCE = 500
    AT_ONCE = 100

    def __init__(
        self, database: Database, holder: str, lease: timedelta, share: Share = ALL
    ) -> None:
        self._database = database
        # A statement that is the whole of its transaction needs neither BEGIN nor COMMIT.
        self._single = database.mover.execution_options(isolation_level="AUTOCOMMIT")
        self._holder = holder
        self._lease = lease
        self._share = share
        self._turns = Turns(self._claim_after)
        self._take = Combining(self._take_all, most=self.AT_ONCE)
        self._mark = Combining(self._mark_all, most=self.AT_ONCE)

    async def claim(self, now: datetime, *, most: int, each: int) -> list[Key]:
        """Lease about `most` due mails, `each` of one tenant, going on where the last one ended."""
        return await self._turns.claim(now, most=most, each=each)

    async def take(self, key: Key, message_id: str, now: datetime) -> Taken | None:
        """The mail to be sent within a lease from now, or None where it may not be any more."""
        return await self._take((key, message_id, now))

    async def mark(self, mark: Mark) -> None:
        """Keep what became of a try, and tell of the mail's end."""
        await self._mark(mark)

    async def renew(self, keys: Sequence[Key]) -> set[Key]:
        """Begin these leases anew. Answers those that are still held."""
        async with self._single.connect() as connection:
            found = await connection.execute(
                RENEW, {**_arrays(keys), "holder": self._holder, "lease": self._lease}
            )
            return {Key(*row) for row in found}

    async def give_back(self, keys: Sequence[Key]) -> None:
        """Let go of what was claimed and will not be tried now."""
        async with self._single.connect() as connection:
            await connection.execute(GIVE_BACK, {**_arrays(keys), "holder": self._holder})

    async def drop_old(self, now: datetime) -> int:
        """Drop what was not sent in its time. Answers how many mails that were."""
        epoch = await self._database.load_epoch()
        async with self._database.mover.begin() as connection:
            return await drop_old(connection, now, most=self.DROPPED_AT_ONCE, epoch=epoch)

    async def next_due(self, after: datetime) -> datetime | None:
        """When the first mail that was not due at `after` yet is to be tried."""
        async with self._single.connect() as connection:
            due_at: datetime | None = (
                await connection.execute(NEXT_DUE, {"after": after})
            ).scalar_one()
        return due_at

    async def _claim_after(
        self, priority: Priority, cursor: UUID, now: datetime, most: int, each: int
    ) -> list[Key]:
        async with self._single.connect() as connection:
            found = await connection.execute(
                CLAIM,
                {
                    "priority": priority,
                    "cursor": cursor,
                    "now": now,
                    "most": most,
                    "each": each,
                    "slugs": list(self._share.slugs),
                    "listed": self._share.listed,
                    "holder": self._holder,
                    "lease": self._lease,
                },
            )
            return [Key(*row) for row in found]

    async def _take_all(self, asked: Sequence[tuple[Key, str, datetime]]) -> list[Taken | None]:
        async with self._single.connect() as connection:
            found = await connection.execute(
                TAKE,
                {
                    **_arrays([key for key, _, _ in asked]),
                    "message_ids": [message_id for _, message_id, _ in asked],
                    "now": max(now for _, _, now in asked),
                    "holder": self._holder,
                    "lease": self._lease,
                },
            )
            taken = [Taken(*row) for row in found]
        by_key = {mail.key: mail for mail in taken}
        return [by_key.get(key) for key, _, _ in asked]

    async def _mark_all(self, marks: Sequence[Mark]) -> list[None]:
        epoch = await self._database.load_epoch()
        async with self._single.connect() as connection:
            await mark_all(connection, marks, holder=self._holder, epoch=epoch)
        return [None for _ in marks]


def _arrays(keys: Sequence[Key]) -> dict[str, list[UUID]]:
    return {"tenants": [key.tenant for key in keys], "ids": [key.id for key in keys]}


async def free_all_leases(mover: AsyncEngine) -> None:
    """Forget every lease: for who knows that no delivery lives, as at the start of a whole."""
    async with mover.begin() as connection:
        await connection.execute(FREE_ALL)
