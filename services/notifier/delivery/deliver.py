"""The delivery: for each relay a deliverer that claims due mails and sends them, several at once.

Each relay has its own claims, connections and pauses, so that none waits for another's trouble.
Several deliveries may run, in a process or in many: each sends only what it holds a lease on.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from chassis import clock
from chassis.keys import Keys
from chassis.settings import Settings
from chassis.tenants import TenantCache
from chassis.work import Database
from services.notifier.delivery.claim import Share, StoredQueue
from services.notifier.delivery.letters import PortalLetters
from services.notifier.delivery.mails import Key
from services.notifier.delivery.send import SmtpRelay
from services.notifier.delivery.steps import Letters, Line, Queue, Relay, RelayAway, Steps
from services.notifier.domain.retries import Patience

log = structlog.get_logger()

LEASE = timedelta(seconds=30)


class Deliverer:
    """Delivers one holder's share of the queue to one relay, until it is stopped."""

    EACH = 6  # mails of one tenant in a claim
    BATCH = 24
    AHEAD = 4  # or so many for each connection, where that is more
    POLL_S = 0.5
    POLL_SHARE = 20  # an idle claim takes at most this part of the time, however deep the queue
    POLL_MOST_S = 10.0  # one claim that took a minute is no reason to look away for twenty
    RENEW_S = LEASE.total_seconds() / 3
    DROP_EVERY = timedelta(minutes=1)
    FULL_S = (
        60.0  # for so long a relay that would not have so many connections is not tried with more
    )

    def __init__(
        self,
        queue: Queue,
        relay: Relay,
        letters: Letters,
        *,
        patience: Patience | None = None,
        now: Callable[[], datetime] = clock.now,
        after_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._relay = relay
        self._patience = patience or Patience()
        self._now = now
        self._after_end = after_end
        self.steps = Steps(
            queue,
            letters,
            relay=relay.name,
            now=now,
            patience=self._patience,
            after_end=after_end,
        )
        self._stopping = asyncio.Event()
        self._news = asyncio.Event()  # a mail has ended, something was queued, or it is to stop
        self._claimed: deque[Key] = deque()
        self._under_way: set[Key] = set()
        self._lines: list[Line] = []  # that nobody uses, the one used last at the end
        self._sending: set[asyncio.Task[None]] = set()
        self._room = relay.connections
        self._full_until = 0.0
        self._drop_at = now()
        self._away = 0  # vain calls on the relay in a row
        self._cause: str | None = None

    @property
    def name(self) -> str:
        """The relay's."""
        return self._relay.name

    @property
    def trouble(self) -> str | None:
        """Why the relay can't be reached, in a word; None while it can."""
        return self._cause

    def wake(self) -> None:
        """Something may have been queued."""
        self._news.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until `stopping` is set. Outlives the absences of database and relay."""
        self._stopping = stopping
        failures = 0
        renewing = asyncio.create_task(self._renew())
        heeding = asyncio.create_task(self._heed(stopping))
        try:
            while not stopping.is_set():
                try:
                    await self._round()
                    failures = 0
                except RelayAway as error:
                    self._away += 1
                    self._cause = str(error)
                    pause_s = self._patience.away_delay_s(self._away)
                    log.warning(
                        "relay_away",
                        relay=self._relay.name,
                        cause=str(error),
                        retry_s=round(pause_s, 1),
                    )
                    await self._pause(pause_s)
                except Exception as error:
                    failures += 1
                    pause_s = self._patience.away_delay_s(failures)
                    log.warning(
                        "delivery_paused", error=type(error).__name__, retry_s=round(pause_s, 1)
                    )
                    await self._pause(pause_s)
        finally:
            heeding.cancel()
            await self._end(renewing)

    async def deliver_due(self) -> int:
        """Send what is due now, one claim of it. Answers how many mails were claimed."""
        keys = await self._claim()
        try:
            while self._claimed or self._sending:
                self._start()
                await self._hear(None)
        finally:
            await self._let_go()
        return len(keys)

    async def close(self) -> None:
        """Say goodbye to the relay."""
        lines, self._lines = self._lines, []
        await asyncio.gather(*(line.close() for line in lines))

    async def _round(self) -> None:
        """Claim where there is room, send, and wait for whatever comes first."""
        if self._away:
            await self._call_again()
        if self._now() >= self._drop_at:
            self._drop_at = self._now() + self.DROP_EVERY
            if dropped := await self._queue.drop_old(self._now()):
                self._after_end()
                log.warning("mails_dropped", count=dropped)
        if self._room < self._relay.connections and _time() > self._full_until:
            self._room = self._relay.connections
        looked_at, started = self._now(), _time()
        found = await self._claim() if len(self._claimed) < self._room else []
        self._start()
        if found or self._claimed:
            await self._hear(self.POLL_S)
        else:
            for line in self._lines:
                await line.rest()
            took_s = _time() - started
            share_s = min(took_s * self.POLL_SHARE, self.POLL_MOST_S)
            await self._idle(looked_at, max(self.POLL_S, share_s))

    async def _claim(self) -> list[Key]:
        keys = await self.steps.claim(most=max(self.BATCH, self.AHEAD * self._room), each=self.EACH)
        # Whose lease ended while we stood still we may be given again: it is in our hands already.
        fresh = [key for key in keys if key not in self._under_way and key not in self._claimed]
        self._claimed.extend(fresh)
        return fresh

    def _start(self) -> None:
        """Put what is claimed on lines, as many as there is room for."""
        while self._claimed and len(self._sending) < self._room and not self._stopping.is_set():
            line = self._lines.pop() if self._lines else self._relay.line()
            key = self._claimed.popleft()
            self._under_way.add(key)
            task = asyncio.create_task(self._deliver(key, line))
            self._sending.add(task)
            task.add_done_callback(self._tell)

    async def _deliver(self, key: Key, line: Line) -> None:
        """One mail. What fails before it was offered is given back, and raised."""
        try:
            await self.steps.deliver(key, line)
        except Exception:
            await self.steps.give_back([key])
            raise
        finally:
            self._under_way.discard(key)
            self._lines.append(line)

    async def _pause(self, seconds: float) -> None:
        """Until then, or until it is to stop. What goes wrong meanwhile is for the next round."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _reap(self) -> None:
        """Note which mails have come to their end. Raises what went wrong before one was sent."""
        ended = {task for task in self._sending if task.done()}
        self._sending -= ended
        for task in ended:
            error = None if task.cancelled() else task.exception()
            if isinstance(error, RelayAway) and self._sending:
                self._room = max(1, len(self._sending))
                self._full_until = _time() + self.FULL_S
                log.warning("relay_full", relay=self._relay.name, connections=self._room)
            elif error is not None:
                await self._let_go()
                raise error

    async def _let_go(self) -> None:
        """Give back what is claimed and not begun."""
        left = list(self._claimed)
        self._claimed.clear()
        await self.steps.give_back(left)

    async def _call_again(self) -> None:
        """The relay was away: one line is tried before anything is claimed."""
        line = self._lines.pop() if self._lines else self._relay.line()
        try:
            await line.connect()
        finally:
            self._lines.append(line)
        self._away, self._cause, self._room = 0, None, self._relay.connections
        log.info("relay_back", relay=self._relay.name)

    async def _renew(self) -> None:
        """Keep the leases of what is claimed and under way, however slow the relay is."""
        while True:
            await asyncio.sleep(self.RENEW_S)
            try:
                await self.steps.renew()
            except Exception as error:
                log.warning("leases_not_renewed", error=type(error).__name__)

    async def _end(self, renewing: asyncio.Task[None]) -> None:
        """What is under way is finished; the rest is given back."""
        try:
            await self._let_go()
            await self._all_have_ended()
        finally:
            for task in self._sending:
                task.cancel()
            renewing.cancel()
            await asyncio.gather(renewing, *self._sending, return_exceptions=True)
            self._sending.clear()
            await self.close()

    async def _all_have_ended(self) -> None:
        if self._sending:
            await asyncio.wait(self._sending)

    async def _idle(self, looked_at: datetime, longest_s: float) -> None:
        due_at = await self._queue.next_due(looked_at)
        if due_at is not None:
            longest_s = min(longest_s, max((due_at - self._now()).total_seconds(), 0.01))
        await self._hear(longest_s)

    def _tell(self, _ended: asyncio.Task[None]) -> None:
        self._news.set()

    async def _heed(self, stopping: asyncio.Event) -> None:
        """It is news that all is to stop."""
        await stopping.wait()
        self._news.set()

    async def _hear(self, seconds: float | None) -> None:
        """Wait for news, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()
        await self._reap()


class Delivery:
    """All deliverers of a process: one for each relay that the settings name."""

    def __init__(
        self,
        database: Database,
        tenants: TenantCache,
        keys: Keys,
        settings: Settings,
        *,
        patience: Patience | None = None,
    ) -> None:
        letters = PortalLetters(tenants.get, keys, settings)
        listed = tuple(settings.relays)
        self.deliverers = [
            Deliverer(
                StoredQueue(
                    database,
                    secrets.token_hex(8),
                    LEASE,
                    Share((name,), listed=True) if name else Share(listed),
                ),
                SmtpRelay(name, at, own_name=settings.base_domain),
                letters,
                patience=patience,
                after_end=lambda: database.after_emit(),  # noqa: PLW0108  # set later, by the runtime
            )
            for name, at in settings.all_relays().items()
        ]

    def wake(self) -> None:
        """Something may have been queued."""
        for one in self.deliverers:
            one.wake()

    def trouble(self) -> str | None:
        """Which relays can't be reached, and why; None: all can."""
        causes = {one.name or "relay": one.trouble for one in self.deliverers if one.trouble}
        return ", ".join(f"{name}: {cause}" for name, cause in causes.items()) or None

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until `stopping` is set."""
        runs: list[Awaitable[None]] = [one.run(stopping) for one in self.deliverers]
        await asyncio.gather(*runs)

    async def deliver_due(self) -> int:
        """Send what is due now. Answers how many mails were claimed."""
        return sum([await one.deliver_due() for one in self.deliverers])

    async def close(self) -> None:
        """Say goodbye to the relays."""
        for one in self.deliverers:
            await one.close()


def _time() -> float:
    return asyncio.get_running_loop().time()
