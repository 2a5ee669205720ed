"""The unit of work: one transaction of one tenant, its principal, its clock and its events.

Whoever opens it (a route, a handler, a command) commits it by leaving the block, before answering.
Its session is the first of tenancy's two walls (`chassis.database.session`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID
from weakref import WeakSet

import asyncpg
import structlog
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from chassis import clock, telemetry
from chassis.database.connection import create_engine, set_tenant
from chassis.database.roles import role_name
from chassis.database.rows import RootColumns, TenantColumns
from chassis.database.session import session_of, tenant_of
from chassis.database.tables import ended, inbox, outbox
from chassis.ids import new_id
from chassis.inbox.claim import HOLD
from chassis.principals import ANONYMOUS, Principal
from chassis.problems import NotFound, NotYet
from chassis.subscriptions import Timer
from contracts.event import Envelope, Event, sealed

log = structlog.get_logger()

R = TypeVar("R", bound=TenantColumns)

TIMER_TYPE = "timer."
CLOSE_S = 1.0


class UnitOfWork:
    """A transaction with what a verb needs. Verbs take it; they neither open nor commit it."""

    def __init__(
        self,
        db: AsyncSession,
        *,
        principal: Principal,
        epoch: int,
        timers: dict[type[Timer], str],
        cause: Envelope | None = None,
    ) -> None:
        self.db = db
        self.tenant = tenant_of(db)
        self.principal = principal
        self.now = clock.now()
        self.cause = cause
        """What is being handled, an event's envelope or a timer's; None outside handlers."""
        self.ended: set[UUID] = set()
        """Who came to their end in this transaction."""
        self._epoch = epoch
        self._timers = timers
        self._roots: dict[UUID, RootColumns] = {}
        self._raised: set[UUID] = set()
        self._emitted: list[tuple[Envelope, list[UUID]]] = []
        self._timers_set = False

    @property
    def emitted(self) -> bool:
        """Were events emitted, so that the publisher is to be woken after the commit?"""
        return bool(self._emitted)

    @property
    def timers_set(self) -> bool:
        """Were timers set, so that the inbox is to be woken after the commit?"""
        return self._timers_set

    def add(self, row: R) -> R:
        """A new row of this tenant, written at the next flush."""
        row.tenant_id = self.tenant
        if isinstance(row, RootColumns):
            row.version = row.version or 0
            self._roots[row.id] = row
        self.db.add(row)
        return row

    async def find(self, kind: type[R], *conditions: ColumnElement[bool]) -> R | None:
        """The one row that meets the conditions, or None; a root is locked for what follows."""
        question = select(kind).where(*conditions)
        if issubclass(kind, RootColumns):
            question = question.with_for_update(key_share=True).execution_options(
                populate_existing=True
            )
        row = (await self.db.execute(question)).scalar_one_or_none()
        if isinstance(row, RootColumns):
            self._roots[row.id] = row
        return row

    async def fetch(self, kind: type[R], id: UUID) -> R:
        """The row with this id. Raises NotFound; in a handler NotYet, which waits for it."""
        known = self._roots.get(id)
        if isinstance(known, kind):
            return known
        row = await self.find(kind, kind.id == id)
        if row is None:
            raise NotFound if self.cause is None else NotYet(id)
        return row

    def emit(self, event: Event) -> UUID:
        """Tell the other services, in this transaction. Answers the event's id.

        Raises the version of the subject's root row, which must have been added or fetched, once a
        transaction.
        """
        root = self._roots.get(event.subject_id)
        if root is None:
            raise LookupError(f"{type(event).__name__} without its root row in this transaction")
        if root.id not in self._raised:
            self._raised.add(root.id)
            root.version += 1
        envelope = sealed(
            event,
            id=new_id(),
            tenant=self.tenant,
            time=self.now,
            version=root.version,
            epoch=self._epoch,
            traceparent=telemetry.traceparent(),
        )
        self._emitted.append((envelope, [event.subject_id, *event.concerned_ids]))
        return envelope.id

    async def later(self, timer: Timer, due_at: datetime, *, id: UUID | None = None) -> None:
        """Have the timer's handler called at `due_at`. The same `id` sets it once."""
        envelope = Envelope(
            id=id or new_id(),
            source="",
            type=TIMER_TYPE + type(timer).__name__,
            subject=timer.subject_id,
            time=self.now,
            dataschema="",
            tenant=self.tenant,
            traceparent=telemetry.traceparent(),
            version=0,
            epoch=self._epoch,
            data=timer.model_dump(mode="json"),
        )
        self._timers_set = True
        await self.db.execute(
            pg_insert(inbox)
            .values(
                tenant_id=self.tenant,
                id=envelope.id,
                handler=self._timers[type(timer)],
                state="later",
                due_at=due_at,
                stored_at=self.now,
                concerned=[timer.subject_id],
                envelope=envelope.model_dump(mode="json"),
            )
            .on_conflict_do_nothing()
        )

    async def erase_traces(self, *subjects: UUID) -> None:
        """Clear what outbox and inbox, dead rows included, still hold of these subjects."""
        for table in (outbox, inbox):
            await self.db.execute(
                delete(table).where(
                    table.c.tenant_id == self.tenant, table.c.concerned.overlap(list(subjects))
                )
            )

    async def end(self, *subjects: UUID) -> None:
        """What is told of these from now on has no effect in this service, as after their end.

        An event that ends its subject does so by itself; this is for whom it takes along.
        """
        if not subjects:
            return
        self.ended.update(subjects)
        await self.db.execute(
            pg_insert(ended)
            .values(
                [
                    {"tenant_id": self.tenant, "subject": subject, "ended_at": self.now}
                    for subject in subjects
                ]
            )
            .on_conflict_do_nothing()
        )

    async def hold(self, *subjects: UUID) -> None:
        """In a handler: nobody else handles what concerns these until this one is committed.

        For whom the event names but does not concern. Raises NotYet while another has one of them.
        """
        held = await self.db.execute(HOLD, {"tenant": self.tenant, "subjects": list(subjects)})
        for subject in held.scalars():
            raise NotYet(subject)

    async def has_ended(self, *subjects: UUID) -> bool:
        """Has one of these subjects come to its end, as far as this service was told?"""
        found = await self.db.execute(
            select(ended.c.subject)
            .where(ended.c.tenant_id == self.tenant, ended.c.subject.in_(subjects))
            .limit(1)
        )
        return found.first() is not None

    async def finish(self) -> None:
        """Write what is left, the events last. Called once, before the commit."""
        await self.db.flush()
        if self._emitted:
            await self.db.execute(
                insert(outbox),
                [
                    {
                        "tenant_id": self.tenant,
                        "id": envelope.id,
                        "concerned": concerned,
                        "envelope": envelope.model_dump(mode="json"),
                    }
                    for envelope, concerned in self._emitted
                ],
            )


Begin = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
"""Opens a unit of work for the caller's tenant and principal."""


class Database:
    """A service's database: its pools as *app* and as *mover*, and units of work on the first."""

    def __init__(self, service: str, app_url: str, mover_url: str, *, size: int = 8) -> None:
        self.service = service
        self.app_role = role_name(service, "app")
        self.mover_url = mover_url
        self._open = WeakSet[asyncpg.Connection]()
        self.app: AsyncEngine = create_engine(
            app_url, size=size, application=f"{service} app", opened=self._open.add
        )
        self.mover: AsyncEngine = create_engine(
            mover_url, size=size, application=f"{service} mover", opened=self._open.add
        )
        self.timers: dict[type[Timer], str] = {}
        self.epoch: int | None = None
        self.after_emit: Callable[[], None] = lambda: None
        self.after_timer: Callable[[], None] = lambda: None

    async def load_epoch(self) -> int:
        """The installation's epoch, read once a process."""
        if self.epoch is None:
            async with self.app.connect() as connection:
                found = await connection.exec_driver_sql("SELECT max(epoch) FROM epochs")
                self.epoch = int(found.scalar_one())
        return self.epoch

    @asynccontextmanager
    async def begin(
        self, tenant: UUID, principal: Principal = ANONYMOUS
    ) -> AsyncIterator[UnitOfWork]:
        """A unit of work of one transaction; it is committed when the block ends well."""
        epoch = await self.load_epoch()
        async with self.app.connect() as connection:
            set_tenant(connection, tenant)
            async with session_of(tenant, connection) as db, db.begin():
                work = UnitOfWork(db, principal=principal, epoch=epoch, timers=self.timers)
                yield work
                await work.finish()
        if work.emitted:
            self.after_emit()
        if work.timers_set:
            self.after_timer()

    def handling(self, connection: AsyncConnection, cause: Envelope, epoch: int) -> UnitOfWork:
        """A handler's unit of work, joined to the claimer's transaction."""
        db = session_of(cause.tenant, connection, join_transaction_mode="rollback_only")
        return UnitOfWork(
            db,
            principal=Principal(kind="part", part=self.service),
            epoch=epoch,
            timers=self.timers,
            cause=cause,
        )

    def cut_off(self) -> None:
        """Abort all connections: what waits for a server that says nothing fails at once."""
        for connection in list(self._open):
            connection.terminate()

    async def close(self) -> None:
        """Close both pools, bounded; whoever holds a connection still loses it."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.app.dispose()
                await self.mover.dispose()
        except TimeoutError:
            log.warning("database_left", service=self.service)
        finally:
            self.cut_off()
