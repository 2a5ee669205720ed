"""Projections held against what their sources told; they are found by their subscriptions.

A `newest` handler makes its service's copy of a subject from the subject's last event. So the copy
is right if handling that event once more would change nothing, and if it is the version that was
kept. Sources keep what they told for a week, which is longer than any test.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from chassis.subscriptions import Mode, Subscription
from chassis.work import Database, UnitOfWork
from contracts.event import Envelope
from guichet.parts import SERVICES
from tests.support.promises import Installed

LATEST = """
    SELECT DISTINCT ON (tenant_id, envelope->>'subject') envelope FROM outbox
    WHERE envelope->>'type' = ANY($1)
    ORDER BY tenant_id, envelope->>'subject', CAST(envelope->>'epoch' AS bigint) DESC,
        CAST(envelope->>'version' AS bigint) DESC, position DESC
"""
KEPT = "SELECT tenant_id, subject, epoch, version FROM projected WHERE handler = $1"
ENDED = "SELECT tenant_id, subject FROM ended"
READABLE = text("""
    SELECT quote_ident(relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND has_table_privilege(oid, 'SELECT')
    ORDER BY relname
""")


class _Undo(Exception):
    """Nothing of this transaction stays."""


async def assert_projections_told(
    installed: Installed, databases: Mapping[str, Database]
) -> dict[str, int]:
    """Each copy is what its source told last. Answers by service and handler how many there are."""
    counted = {}
    for service, database in databases.items():
        await database.app.dispose()  # the server may have ended since they connected
        for subscription in SERVICES[service].subscriptions:
            if subscription.mode is Mode.NEWEST:
                found = await _latest(installed, subscription)
                await _assert_kept(installed, service, subscription, found)
                await _assert_nothing_changes(database, subscription, found)
                counted[f"{service}.{subscription.name}"] = len(found)
    return counted


async def _latest(installed: Installed, subscription: Subscription) -> list[Envelope]:
    """The last event of each subject."""
    [source] = {event.source for event in subscription.events}
    types = [event.type_name() for event in subscription.events]
    rows = await _fetch(installed, source, LATEST, types)
    return [Envelope.model_validate_json(row["envelope"]) for row in rows]


async def _assert_kept(
    installed: Installed, service: str, subscription: Subscription, latest: list[Envelope]
) -> None:
    """The version that the service notes of each subject is that of its last event."""
    kept = {
        (row["tenant_id"], row["subject"]): (row["epoch"], row["version"])
        for row in await _fetch(installed, service, KEPT, subscription.name)
    }
    ended = {tuple(row) for row in await _fetch(installed, service, ENDED)}
    told = {
        (one.tenant, one.subject): (one.epoch, one.version)
        for one in latest
        if (one.tenant, one.subject) not in ended
    }
    lacks = {subject: version for subject, version in told.items() if kept.get(subject) != version}
    assert lacks == {}, f"{service}.{subscription.name} keeps other versions"


async def _assert_nothing_changes(
    database: Database, subscription: Subscription, latest: list[Envelope]
) -> None:
    """Handling the last events once more, and undoing it, shows what is not as it was told."""
    by_tenant: dict[UUID, list[Envelope]] = {}
    for one in latest:
        by_tenant.setdefault(one.tenant, []).append(one)
    for tenant, envelopes in by_tenant.items():
        before: dict[str, list[Any]] = {}
        after: dict[str, list[Any]] = {}
        try:
            async with database.begin(tenant) as work:
                before = await _all(work)
                for envelope in envelopes:
                    await subscription.handler(work, envelope.event())
                await work.db.flush()
                after = await _all(work)
                raise _Undo
        except _Undo:
            pass
        differ = [table for table in after if after[table] != before[table]]
        assert differ == [], f"{database.service}.{subscription.name} is not as it was told"


async def _all(work: UnitOfWork) -> dict[str, list[Any]]:
    """Every row that the service may read of the tenant, by table."""
    tables = (await work.db.execute(READABLE)).scalars().all()
    return {
        table: list(
            (await work.db.execute(text(f"SELECT to_jsonb(t)::text FROM {table} AS t ORDER BY 1")))
            .scalars()
            .all()
        )
        for table in tables
    }


async def _fetch(
    installed: Installed, service: str, sql: str, *values: object
) -> list[asyncpg.Record]:
    connection = await installed.database(service)
    try:
        return list(await connection.fetch(sql, *values))
    finally:
        await connection.close()
