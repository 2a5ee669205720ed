"""The publisher: claims what the outbox holds, has the bus carry it, and marks it sent.

Woken in its own process after a commit, by a NOTIFY from elsewhere (a command beside the running
installation), and by a poll as a fallback. A publish whose end is unknown leaves its rows unsent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import structlog
from sqlalchemy import text

from chassis import clock, telemetry
from chassis.bus import Bus
from chassis.work import Database
from contracts.event import Envelope

log = structlog.get_logger()

CHANNEL = "outbox"

CLAIM = text("""
    SELECT tenant_id, id, envelope FROM outbox WHERE sent_at IS NULL
    ORDER BY position LIMIT :most FOR UPDATE SKIP LOCKED
""")

MARK = text("""
    UPDATE outbox SET sent_at = :now
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[])) AS key (tenant_id, id)
    WHERE outbox.tenant_id = key.tenant_id AND outbox.id = key.id
""")

# Sent rows are kept for a while, so that they can be replayed.
FORGET = text("DELETE FROM outbox WHERE sent_at < :before")
KEPT = timedelta(days=7)


class Publisher:
    """One service's publisher. Several may run: each claims what the others don't hold."""

    BATCH = 500
    POLL_S = 2.0
    TIMEOUT_S = 10.0
    FORGET_EVERY = timedelta(minutes=10)

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
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
        forget_at = clock.now()
        listener = asyncio.create_task(self._listen())
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    await self.drain()
                    if clock.now() >= forget_at:
                        forget_at = clock.now() + self.FORGET_EVERY
                        await self._forget()
                    pause_s = 0.1
                    await self._wait(self.POLL_S)
                except Exception as error:
                    log.warning(
                        "publisher_paused",
                        service=self._database.service,
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
        async with self._database.mover.begin() as connection:
            rows = (await connection.execute(CLAIM, {"most": self.BATCH})).all()
            if not rows:
                return 0
            envelopes = [Envelope.model_validate(row.envelope) for row in rows]
            with telemetry.span(f"publish from {self._database.service}", count=len(rows)):
                async with asyncio.timeout(self.TIMEOUT_S):
                    await self._bus.publish(envelopes)
            await connection.execute(
                MARK,
                {
                    "now": clock.now(),
                    "tenants": [row.tenant_id for row in rows],
                    "ids": [row.id for row in rows],
                },
            )
            return len(rows)

    async def _forget(self) -> None:
        async with self._database.mover.begin() as connection:
            await connection.execute(FORGET, {"before": clock.now() - KEPT})

    async def _wait(self, seconds: float) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _listen(self) -> None:
        """Hear the NOTIFYs of other processes, connecting anew whenever that is lost."""
        while True:
            try:
                connection = await asyncpg.connect(
                    self._database.mover_url,
                    timeout=5,
                    server_settings={"application_name": f"{self._database.service} listener"},
                )
                lost = asyncio.Event()
                connection.add_termination_listener(lambda *_, lost=lost: lost.set())
                await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
                self._wake.set()
                try:
                    await lost.wait()
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                log.debug("listener_lost", error=type(error).__name__)
            await asyncio.sleep(1.0)


def notifying(database: Database) -> Callable[[], Awaitable[None]]:
    """What wakes the publishers of other processes, after a commit, on a connection of its own."""

    async def notify() -> None:
        connection = await asyncpg.connect(database.mover_url, timeout=5)
        try:
            await connection.execute(f"NOTIFY {CHANNEL}")
        finally:
            await connection.close(timeout=5)

    return notify
