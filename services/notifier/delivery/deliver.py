"""The delivery: claims due mails, sends each, marks each, until it is stopped.

Several may run: each sends only what it holds a lease on, checked before every mail. While the
relay is away nothing is claimed; it is called again after growing pauses.
"""

import asyncio
import secrets
from datetime import datetime, timedelta

import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy.exc import SQLAlchemyError

from chassis import clock, telemetry
from chassis.keys import Keys
from chassis.settings import Settings
from chassis.tenants import TenantCache
from chassis.work import Database
from contracts.identity import TenantChanged
from services.notifier.delivery.claim import Key, Queue, Taken
from services.notifier.delivery.mark import mark
from services.notifier.delivery.render import Letter, render
from services.notifier.delivery.send import Relay, RelayAway
from services.notifier.domain.answers import Answer, Outcome, unsendable
from services.notifier.domain.identifiers import message_id
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.domain.lines import NoAddress
from services.notifier.domain.links import Link, mint
from services.notifier.domain.retries import Patience

log = structlog.get_logger()


class Delivery:
    """One deliverer of the queue, with a connection of its own to the relay."""

    BATCH = 20
    EACH = 5  # mails of one tenant in a batch
    POLL_S = 0.5
    POLL_SHARE = 20  # an idle claim takes at most this part of the time, however deep the queue
    LEASE_MARGIN_S = 10.0
    DROP_EVERY = timedelta(minutes=1)

    def __init__(
        self,
        database: Database,
        tenants: TenantCache,
        keys: Keys,
        settings: Settings,
        *,
        patience: Patience | None = None,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._keys = keys
        self._settings = settings
        self._patience = patience or Patience()
        self._relay = Relay(
            settings.relay_host or "127.0.0.1",
            settings.relay_port if settings.relay_host else settings.smtp_port,
            timeout_s=settings.relay_timeout_s,
            own_name=settings.base_domain,
        )
        self._holder = secrets.token_hex(8)
        lease_s = self._relay.longest_send_s + self.LEASE_MARGIN_S
        self._queue = Queue(database.mover, self._holder, timedelta(seconds=lease_s))
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._drop_at = clock.now()
        self._away = 0  # vain calls on the relay in a row

    def wake(self) -> None:
        """Something may have been queued."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until `stopping` is set. Outlives the absences of database and relay."""
        self._stopping = stopping
        failures = 0
        try:
            while not stopping.is_set():
                try:
                    await self._round()
                    failures = 0
                except RelayAway as error:
                    self._away += 1
                    pause_s = self._patience.away_delay_s(self._away)
                    log.warning("relay_away", cause=str(error), retry_s=round(pause_s, 1))
                    await self._pause(pause_s)
                except Exception as error:
                    failures += 1
                    pause_s = self._patience.away_delay_s(failures)
                    log.warning(
                        "delivery_paused", error=type(error).__name__, retry_s=round(pause_s, 1)
                    )
                    await self._pause(pause_s)
        finally:
            await self._relay.close()

    async def deliver_due(self) -> int:
        """Send what is due now, one batch. Answers how many mails were claimed."""
        keys = await self._queue.claim(clock.now(), most=self.BATCH, each=self.EACH)
        left = list(keys)
        try:
            while left and not self._stopping.is_set():
                await self._relay.connect()
                await self._deliver(left.pop(0))
        finally:
            await self._give_back(left)
        return len(keys)

    async def _round(self) -> None:
        if self._away:
            await self._relay.connect()
            self._away = 0
            log.info("relay_back")
        self._wake.clear()
        if clock.now() >= self._drop_at:
            self._drop_at = clock.now() + self.DROP_EVERY
            if dropped := await self._queue.drop_old(clock.now()):
                log.warning("mails_dropped", count=dropped)
        looked_at, started = clock.now(), asyncio.get_running_loop().time()
        if await self.deliver_due() == 0:
            took_s = asyncio.get_running_loop().time() - started
            await self._relay.rest()
            await self._idle(looked_at, max(self.POLL_S, took_s * self.POLL_SHARE))

    async def _deliver(self, key: Key) -> None:
        """One mail: taken, rendered, sent and marked."""
        tenant = await self._tenants.get(key.tenant)
        assert tenant is not None, "the claim saw its projection"
        mail = await self._queue.take(key, message_id(key.id, tenant.host), clock.now())
        if mail is None:
            return
        with (
            structlog.contextvars.bound_contextvars(tenant=str(key.tenant), mail=str(key.id)),
            telemetry.span(
                f"send {mail.template}",
                kind=SpanKind.CLIENT,
                parent=mail.traceparent,
                attempt=mail.attempts + 1,
            ),
        ):
            await self._mark(mail, await self._answer(mail, tenant))

    async def _answer(self, mail: Taken, tenant: TenantChanged) -> Answer:
        try:
            letter = self._letter(mail, tenant, clock.now())
        except NoAddress:
            return unsendable("no address that mail can be sent to")
        except Exception as error:  # ours to mend: the mail waits for it
            log.exception("mail_not_rendered", template=mail.template)
            return Answer(Outcome.DEFERRED, None, f"not rendered: {type(error).__name__}")
        return await self._relay.send(letter.sender, letter.recipient, letter.message)

    def _letter(self, mail: Taken, tenant: TenantChanged, sent_at: datetime) -> Letter:
        template = Template(mail.template)
        origin = (tenant.origin or "").rstrip("/") or self._settings.tenant_origin(tenant.host)
        link: Link | None = None
        purpose = KINDS[template].purpose
        if purpose is not None:
            assert mail.link_id is not None
            link = mint(
                self._keys.signing_key("notifier"),
                purpose,
                mail.link_id,
                tenant=mail.tenant,
                origin=origin,
                address=mail.address,
                sent_at=sent_at,
            )
        return render(
            template,
            mail.facts,
            to=mail.address,
            language=mail.language,
            tenant=tenant,
            origin=origin,
            link=link,
            message_id=mail.message_id,
            sent_at=sent_at,
        )

    async def _mark(self, mail: Taken, answer: Answer) -> None:
        """Keep the answer, as long as it takes: nothing else is sent before."""
        tries = mail.attempts + 1
        delay = self._patience.mail_delay(tries)
        now = clock.now()
        failures = 0
        while True:
            try:
                await mark(
                    self._database.mover,
                    mail.key,
                    self._holder,
                    answer,
                    now=now,
                    due_at=now + delay,
                )
                break
            except (SQLAlchemyError, OSError) as error:
                log.warning("mail_not_marked", error=type(error).__name__)
                failures += 1
                await asyncio.sleep(min(0.05 * 2.0**failures, 2.0))
        level = {Outcome.ACCEPTED: "info", Outcome.REFUSED: "warning"}.get(answer.outcome, "info")
        fields = {} if answer.outcome in FINAL else {"retry_s": round(delay.total_seconds())}
        getattr(log, level)(
            f"mail_{answer.outcome}",
            template=mail.template,
            code=answer.code,
            attempt=tries,
            **fields,
        )

    async def _give_back(self, keys: list[Key]) -> None:
        """Best effort: what is not given back is this deliverer's still, and free in a while."""
        if not keys:
            return
        try:
            await self._queue.give_back(keys)
        except (SQLAlchemyError, OSError) as error:
            log.warning("leases_left", count=len(keys), error=type(error).__name__)

    async def _idle(self, looked_at: datetime, longest_s: float) -> None:
        due_at = await self._queue.next_due(looked_at)
        if due_at is not None:
            longest_s = min(longest_s, max((due_at - clock.now()).total_seconds(), 0.01))
        await _first_of(longest_s, self._wake, self._stopping)

    async def _pause(self, seconds: float) -> None:
        await _first_of(seconds, self._stopping)


FINAL = (Outcome.ACCEPTED, Outcome.REFUSED)


async def _first_of(seconds: float, *events: asyncio.Event) -> None:
    """Wait for one of the events, at most so long."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
