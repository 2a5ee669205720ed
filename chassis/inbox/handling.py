"""Running one handler on one row, inside the claimer's transaction."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from chassis import telemetry
from chassis.inbox.verbs import Claimed, Transaction
from chassis.metrics import handler_run
from chassis.subscriptions import Mode, Subscription, TimerHandler
from chassis.work import UnitOfWork
from contracts.event import Event


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
        service: str,
        subscriptions: tuple[Subscription, ...],
        timers: tuple[TimerHandler, ...],
    ) -> None:
        self._service = service
        self._by_name: dict[str, Subscription | TimerHandler] = {}
        listed: list[Subscription | TimerHandler] = [*subscriptions, *timers]
        for one in listed:
            if one.name in self._by_name:
                raise ValueError(f"two handlers named {one.name} in {service}")
            self._by_name[one.name] = one

    def runs_alone(self, row: Claimed) -> bool:
        """Must the row have a transaction of its own? One that failed once would undo a batch."""
        handler = self._by_name.get(row.handler)
        return row.singly or row.attempts > 0 or handler is None or handler.alone

    async def run(
        self,
        transaction: Transaction,
        row: Claimed,
        epoch: int,
        gone: set[tuple[UUID, UUID]],
    ) -> Effects:
        """Handle the row for its tenant; what it raises leaves the transaction unusable.

        What an event tells of a subject that has come to its end (`gone`, to which this adds whom
        the row ended) has no effect.
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
                service=self._service,
            ),
            handler_run(self._service, row.handler),
        ):
            async with transaction.handling(row, epoch) as work:
                if isinstance(handler, TimerHandler):
                    await handler.handler(work, handler.timer.model_validate(row.envelope.data))
                else:
                    await self._apply(transaction, work, handler, row, gone)
            gone.update((row.tenant, subject) for subject in work.ended)
            return Effects(work.emitted, work.timers_set)

    async def _apply(
        self,
        transaction: Transaction,
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
        if subscription.mode is Mode.NEWEST and not await transaction.is_newest(row):
            return
        await subscription.handler(work, event)
