"""Finding events in the services' databases: the latest, the dead, and one by its id."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.inbox.dead import DeadRow, dead_rows
from chassis.subscriptions import Mode
from chassis.work import Database
from contracts.event import Envelope
from guichet.parts import SERVICES

# The latest of those that were sent, then those that were not, each by an index.
LATEST = """
    (SELECT envelope->>'time' AS time, tenant_id, id, envelope->>'type' AS type, sent_at
     FROM outbox WHERE sent_at IS NOT NULL {only} ORDER BY sent_at DESC LIMIT :most)
    UNION ALL
    (SELECT envelope->>'time', tenant_id, id, envelope->>'type', sent_at
     FROM outbox WHERE sent_at IS NULL {only} ORDER BY position DESC LIMIT :most)
"""

BY_ID = text("SELECT envelope FROM outbox WHERE id = :id LIMIT 1")


@dataclass(frozen=True)
class Told:
    """An event as its service told it, without what it holds."""

    time: datetime
    service: str
    tenant: UUID
    id: UUID
    type: str
    sent: bool


@dataclass(frozen=True)
class Subscribed:
    """A handler of a service that listens to an event."""

    service: str
    handler: str
    mode: Mode


async def latest(
    databases: Mapping[str, Database], *, tenant: UUID | None, most: int
) -> list[Told]:
    """The latest events of these services, oldest first."""
    statement = text(LATEST.format(only="AND tenant_id = :tenant" if tenant else ""))
    asked: dict[str, Any] = {"most": most, **({"tenant": tenant} if tenant else {})}

    async def of(name: str, database: Database) -> list[Told]:
        async with database.mover.connect() as connection:
            rows = (await connection.execute(statement, asked)).all()
        return [
            Told(
                datetime.fromisoformat(row.time),
                name,
                row.tenant_id,
                row.id,
                row.type,
                row.sent_at is not None,
            )
            for row in rows
        ]

    found = await asyncio.gather(*(of(name, one) for name, one in databases.items()))
    every = sorted((one for several in found for one in several), key=lambda one: one.time)
    return every[-most:]


async def dead(
    databases: Mapping[str, Database],
    *,
    tenant: UUID | None = None,
    id: UUID | None = None,
    most: int = 100,
) -> list[tuple[str, DeadRow]]:
    """The dead of these services, each with its service."""
    return [
        (name, row)
        for name, database in databases.items()
        for row in await dead_rows(database.mover, tenant=tenant, id=id, most=most)
    ]


async def by_id(databases: Mapping[str, Database], id: UUID) -> Envelope | None:
    """The event with this id, if an outbox still keeps it."""
    for database in databases.values():
        async with database.mover.connect() as connection:
            found = (await connection.execute(BY_ID, {"id": id})).scalar_one_or_none()
        if found is not None:
            return Envelope.model_validate(found)
    return None


def listeners(type: str) -> list[Subscribed]:
    """Every handler of every service that listens to events of this type."""
    return [
        Subscribed(service.name, one.name, one.mode)
        for service in SERVICES.values()
        for one in service.subscriptions
        if any(event.type_name() == type for event in one.events)
    ]
