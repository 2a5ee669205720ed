"""Running one handler on one row, inside the claimer's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import telemetry
from chassis.database.connection import take_role
from chassis.database.roles import role_name
from chassis.inbox.claim import Claimed
from chassis.subscriptions import Mode, Subscription, TimerHandler
from chassis.work import Database, UnitOfWork
from contracts.event import Event

# Keeps the newest (epoch, version) and answers a row unless a newer one was applied already.
APPLY = text("""
    INSERT INTO projected (tenant_id, handler, subject, epoch, version)
    VALUES (:tenant, :handler, :subject, :epoch, :version)
    ON CONFLICT (tenant_id, handler, subject) DO UPDATE
        SET epoch = excluded.epoch, version = excluded.version
        WHERE (projected.epoch, projected.version) <= (excluded.epoch, excluded.version)
    RETURNING 1
""")


ENDED = text("""
    SELECT tenant_id, subject FROM ended
    WHERE (tenant_id, subject) IN (
        SELECT * FROM unnest(CAST(:tenants AS uuid[]), CAST(:subjects AS uuid[])))
""")


class UnknownHandler(Exception):
    """No handler of this name is in the service's code any more."""


@dataclass(frozen=True)
class Effects:
    """What a handler did that others wait for, once it is committed."""

    emitted: bool = False
    timers_set: bool = False


class Handling:
    """A service's handlers by name, and how each is run."""

    def __init__(
        self,
        database: Database,
        subscriptions: tuple[Subscription, ...],
        timers: tuple[TimerHandler, ...],
    ) -> None:
        self._database = database
        self._app_role = role_name(database.service, "app")
        self._by_name: dict[str, Subscription | TimerHandler] = {}
        listed: list[Subscription | TimerHandler] = [*subscriptions, *timers]
        for one in listed:
            if one.name in self._by_name:
                raise ValueError(f"two handlers named {one.name} in {database.service}")
            self._by_name[one.name] = one

    def runs_alone(self, row: Claimed) -> bool:
        """Must the row have a transaction of its own? One that failed once would undo a batch."""
        handler = self._by_name.get(row.handler)
        return row.singly or row.attempts > 0 or handler is None or handler.alone

    async def ended_among(
        self, connection: AsyncConnection, rows: Sequence[Claimed]
    ) -> set[tuple[UUID, UUID]]:
        """Which of the subjects that the rows concern have come to their end, by tenant.

        The claim holds those subjects, so nobody else ends one of them meanwhile.
        """
        pairs = [(row.tenant, subject) for row in rows for subject in row.concerned]
        found = await connection.execute(
            ENDED,
            {"tenants": [pair[0] for pair in pairs], "subjects": [pair[1] for pair in pairs]},
        )
        return {(row.tenant_id, row.subject) for row in found}

    async def run(
        self,
        connection: AsyncConnection,
        row: Claimed,
        epoch: int,
        gone: set[tuple[UUID, UUID]],
    ) -> Effects:
        """Handle the row as *app* for its tenant; what it raises leaves the transaction unusable.

        What an event tells of a subject that has come to its end (`gone`, to which this adds whom
        the row ended) has no effect. The connection stays *app*: the caller drops the role.
        """
        handler = self._by_name.get(row.handler)
        if handler is None:
            raise UnknownHandler(row.handler)
        with (
            structlog.contextvars.bound_contextvars(
                tenant=str(row.tenant), event_id=str(row.id), handler=row.handler
            ),
            telemetry.span(
                f"handle {row.handler}",
                parent=row.envelope.traceparent,
                service=self._database.service,
            ),
        ):
            await take_role(connection, self._app_role, row.tenant)
            work = self._database.handling(connection, row.envelope, epoch)
            try:
                if isinstance(handler, TimerHandler):
                    await handler.handler(work, handler.timer.model_validate(row.envelope.data))
                else:
                    await self._apply(work, handler, row, gone)
                await work.finish()
            finally:
                await work.db.close()
            gone.update((row.tenant, subject) for subject in work.ended)
            return Effects(work.emitted, work.timers_set)

    async def _apply(
        self,
        work: UnitOfWork,
        subscription: Subscription,
        row: Claimed,
        gone: set[tuple[UUID, UUID]],
    ) -> None:
        event: Event = row.envelope.event()
        if event.ends:
            await work.end(event.subject_id)
        elif any((row.tenant, subject) in gone for subject in row.concerned):
            return
        if subscription.mode is Mode.NEWEST and not await self._is_newest(work, row):
            return
        await subscription.handler(work, event)

    async def _is_newest(self, work: UnitOfWork, row: Claimed) -> bool:
        applied = await work.db.execute(
            APPLY,
            {
                "tenant": row.tenant,
                "handler": row.handler,
                "subject": row.envelope.subject,
                "epoch": row.envelope.epoch,
                "version": row.envelope.version,
            },
        )
        return applied.first() is not None


def wakes(rows: list[Claimed]) -> dict[str, list[UUID]]:
    """The subjects that have now arrived, as the waking statement takes them."""
    pairs = list(dict.fromkeys((row.tenant, row.subject) for row in rows))
    return {"tenants": [pair[0] for pair in pairs], "subjects": [pair[1] for pair in pairs]}
