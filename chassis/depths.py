"""How much waits in a service's database, and since when: outbox, inbox, and a service's own queue.

Asked whenever somebody looks (metrics, `/ops`, `guichet doctor`), so each question goes by an index
and counts no further than `MOST`: ten million rows that wait are as cheap to look at as a hundred
thousand. Asked as the mover, which sees every tenant's queues.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.work import Database

MOST = 100_000
"""What is counted at most: where a number says so many, there are so many or more."""

WITHIN_S = 2.0
KEPT_S = 5.0

# An event's time stands in its envelope; the row that is next is the oldest.
OUTBOX = text("""
    SELECT
        (SELECT count(*) FROM
            (SELECT FROM outbox WHERE sent_at IS NULL LIMIT :most) AS unsent) AS size,
        (SELECT envelope->>'time' FROM outbox
         WHERE sent_at IS NULL ORDER BY position LIMIT 1)::timestamptz AS oldest_at
""")

# Retries and whoever awaits a subject look again within minutes: what is due later is timers.
# A row waits from when it was due: the next of each tenant, and what is due and not yet made ready.
INBOX = text("""
    WITH RECURSIVE turn AS (
        (SELECT tenant_id, greatest(due_at, stored_at) AS since FROM inbox
         WHERE state = 'ready' ORDER BY tenant_id, position LIMIT 1)
        UNION ALL
        (SELECT following.* FROM turn CROSS JOIN LATERAL (
            SELECT tenant_id, greatest(due_at, stored_at) AS since FROM inbox
            WHERE state = 'ready' AND inbox.tenant_id > turn.tenant_id
            ORDER BY tenant_id, position LIMIT 1) AS following)
    ), soon AS (
        SELECT state, attempts FROM inbox
        WHERE state IN ('later', 'awaiting') AND due_at < :soon ORDER BY due_at LIMIT :most
    )
    SELECT
        (SELECT count(*) FROM
            (SELECT FROM inbox WHERE state = 'ready' LIMIT :most) AS ready) AS ready,
        (SELECT count(*) FROM soon WHERE state = 'later' AND attempts > 0) AS retrying,
        (SELECT count(*) FROM soon WHERE state = 'awaiting') AS awaiting,
        (SELECT count(*) FROM
            (SELECT FROM inbox WHERE state = 'dead' LIMIT :most) AS dead) AS dead,
        (SELECT min(since) FROM (SELECT since FROM turn LIMIT :tenants) AS first) AS ready_since,
        (SELECT min(due_at) FROM inbox WHERE state IN ('later', 'awaiting')) AS next_due_at
""")
# By the index whatever the statistics say: a queue that filled in a minute has none.
BOUND = text(f"""
    SELECT set_config('statement_timeout', '{round(WITHIN_S * 1000)}', true),
        set_config('enable_seqscan', 'off', true)
""")

SOON = timedelta(minutes=30)
TENANTS = 10_000  # that are looked at for who waits longest


@dataclass(frozen=True)
class Waiting:
    """How many wait, `MOST` at most, and since when the first of them does."""

    size: int = 0
    since: datetime | None = None

    def age_s(self, now: datetime) -> float:
        """How long the first has waited by now; 0 where none does."""
        return max((now - self.since).total_seconds(), 0.0) if self.since else 0.0


@dataclass(frozen=True)
class Depths:
    """What waited in a service's database when it was looked at."""

    looked_at: datetime
    outbox: Waiting
    inbox: Waiting  # ready to be handled, or due and not yet made ready
    retrying: int
    awaiting: int  # another event, by which they are woken
    dead: int
    queues: Mapping[str, Waiting] = field(default_factory=dict)


Asking = Callable[[AsyncConnection], Awaitable[Waiting]]
"""How a service's own queue is asked, by an index and no further than `MOST`."""

AskingByTenant = Callable[[AsyncConnection], Awaitable[Mapping[UUID, Waiting]]]
"""The same of a queue's tenants, `TENANTS_SHOWN` at most."""
TENANTS_SHOWN = 50


class Depth:
    """Asks one service's database, seldom enough however many look."""

    def __init__(self, database: Database) -> None:
        self.queues: dict[str, Asking] = {}
        """By name, the service's own queues beside outbox and inbox."""
        self.by_tenant: dict[str, AskingByTenant] = {}
        """The same of whom operators see tenant by tenant."""
        self._database = database
        self._kept: Depths | None = None
        self._asking = asyncio.Lock()

    async def look(self) -> Depths:
        """What waits now, or did `KEPT_S` ago. Raises TimeoutError and what the database raises."""
        async with self._asking:
            now = clock.now()
            if self._kept is None or not 0 <= (now - self._kept.looked_at).total_seconds() < KEPT_S:
                async with asyncio.timeout(WITHIN_S):
                    self._kept = await self._ask(now)
            return self._kept

    async def look_by_tenant(self) -> dict[str, Mapping[UUID, Waiting]]:
        """By queue and tenant, what waits now. Raises as `look` does."""
        async with asyncio.timeout(WITHIN_S), self._database.mover.begin() as connection:
            await connection.execute(BOUND)
            return {name: await ask(connection) for name, ask in self.by_tenant.items()}

    async def _ask(self, now: datetime) -> Depths:
        asked = {"most": MOST, "tenants": TENANTS, "soon": now + SOON}
        async with self._database.mover.begin() as connection:
            await connection.execute(BOUND)
            outbox = (await connection.execute(OUTBOX, asked)).one()
            inbox = (await connection.execute(INBOX, asked)).one()
            queues = {name: await ask(connection) for name, ask in self.queues.items()}
        overdue = inbox.next_due_at if inbox.next_due_at and inbox.next_due_at < now else None
        since = [one for one in (inbox.ready_since, overdue) if one is not None]
        return Depths(
            looked_at=now,
            outbox=Waiting(outbox.size, outbox.oldest_at),
            inbox=Waiting(inbox.ready, min(since, default=None)),
            retrying=inbox.retrying,
            awaiting=inbox.awaiting,
            dead=inbox.dead,
            queues=queues,
        )
