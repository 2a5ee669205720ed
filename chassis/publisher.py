"""The publisher: claims what the outbox holds, has the bus carry it, and marks it sent.

Woken in its own process after a commit, by a NOTIFY from elsewhere (a command beside the running
installation), and by a poll as a fallback. A publish whose end is unknown leaves its rows unsent.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from opentelemetry.trace import SpanKind

from chassis import clock, telemetry
from chassis.bus import Bus
from chassis.metrics import publishing
from contracts.event import Envelope

log = structlog.get_logger()

KEPT = timedelta(days=7)
"""Sent rows are kept for a while, so that they can be replayed."""


class OutboxTransaction(Protocol):
    """What is done of the outbox in one transaction: all of it, or nothing."""

    async def claim(self, most: int) -> list[Envelope]:
        """The oldest unsent that nobody else holds; they are held until the transaction ends."""

    async def mark(self, envelopes: Sequence[Envelope], now: datetime) -> None:
        """They were sent."""


class Outbox(Protocol):
    """A service's outbox as its publishers see it: PostgreSQL's, or a simulation's."""

    @property
    def service(self) -> str:
        """Whose it is."""

    def begin(self) -> AbstractAsyncContextManager[OutboxTransaction]:
        """A transaction, committed when the block ends well and undone otherwise."""

    async def forget(self, before: datetime) -> None:
        """Delete what was sent before that instant."""

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever another process committed something. Until cancelled."""


class Publisher:
    """One service's publisher. Several may run: each claims what the others don't hold."""

    BATCH = 500
    POLL_S = 2.0
    TIMEOUT_S = 10.0
    FORGET_EVERY = timedelta(minutes=10)

    def __init__(self, outbox: Outbox, bus: Bus) -> None:
        self._outbox = outbox
        self._bus = bus
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something was committed to the outbox."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the batch under way, then return from `run`."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Publish until stopped. Outlives the absences of database and bus."""
        pause_s = 0.1
        is_bus_in_doubt = False
        forget_at = clock.now()
        listener = asyncio.create_task(self._outbox.listen(self._wake.set))
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    await self.drain()
                    if is_bus_in_doubt and not self._stopping:
                        # What it could not publish, another may have: it asks with nothing, then.
                        await self._carry(())
                        is_bus_in_doubt = False
                    if clock.now() >= forget_at:
                        forget_at = clock.now() + self.FORGET_EVERY
                        await self._outbox.forget(clock.now() - KEPT)
                    pause_s = 0.1
                    await self._wait(self.POLL_S)
                except Exception as error:
                    is_bus_in_doubt = True
                    log.warning(
                        "publisher_paused",
                        service=self._outbox.service,
                        error=type(error).__name__,
                    )
                    await self._wait(pause_s)
                    pause_s = min(pause_s * 2, 5.0)
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def drain(self) -> int:
        """Publish until the outbox holds nothing unsent. Answers how many events that were."""
        total = 0
        while not self._stopping and (count := await self.publish()):
            total += count
        return total

    async def publish(self) -> int:
        """One batch: claimed, carried and marked in one transaction. Answers its size."""
        async with self._outbox.begin() as transaction:
            envelopes = await transaction.claim(self.BATCH)
            if not envelopes:
                return 0
            service = self._outbox.service
            with (
                telemetry.span(f"publish from {service}", count=len(envelopes)),
                traced(envelopes) as carried,
                publishing(service, len(envelopes)),
            ):
                await self._carry(carried)
            await transaction.mark(envelopes, clock.now())
            return len(envelopes)

    async def _carry(self, envelopes: Sequence[Envelope]) -> None:
        async with asyncio.timeout(self.TIMEOUT_S):
            await self._bus.publish(envelopes)

    async def _wait(self, seconds: float) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass


@contextmanager
def traced(envelopes: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
    """The events as they are carried: whoever handles one follows its publishing in the trace."""
    with telemetry.spans_under(
        [one.traceparent for one in envelopes],
        [f"publish {one.type}" for one in envelopes],
        SpanKind.PRODUCER,
    ) as parents:
        yield [
            one if parent == one.traceparent else one.model_copy(update={"traceparent": parent})
            for one, parent in zip(envelopes, parents, strict=True)
        ]
