"""The steps of a delivery: claim, take, make the letter, send, mark.

They do no input or output of their own and read no clock but the one that they are given: the
queue, the relay and the letters stand behind what is declared here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

import structlog
from opentelemetry.trace import SpanKind

from chassis import telemetry
from services.notifier.delivery.counting import count_try
from services.notifier.delivery.mails import Key, Letter, Taken
from services.notifier.delivery.mark import Mark
from services.notifier.domain.answers import Answer, Outcome, final, unsendable
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.domain.lines import NoAddress
from services.notifier.domain.retries import Patience

log = structlog.get_logger()

FINAL = (Outcome.ACCEPTED, Outcome.REFUSED)

MayEnd = Callable[[], Awaitable[bool]]
"""Asked by a line just before the final dot: is the mail still this sender's to send?"""


class RelayAway(Exception):
    """Nobody answers there, or not as a relay that takes mail does."""


class Queue(Protocol):
    """The queue of mails as one holder of leases sees it. Each call is one transaction."""

    async def claim(self, now: datetime, *, most: int, each: int) -> list[Key]:
        """Lease about `most` due mails, those that are waited for first, `each` of one tenant."""

    async def take(self, key: Key, message_id: str, now: datetime) -> Taken | None:
        """The mail to be sent now, its lease begun anew; None where it may not be any more."""

    async def renew(self, keys: Sequence[Key]) -> set[Key]:
        """Begin these leases anew. Answers those that are still held."""

    async def mark(self, mark: Mark) -> None:
        """Keep what became of a try, and tell of the mail's end. A no-op when it comes twice."""

    async def give_back(self, keys: Sequence[Key]) -> None:
        """Let go of what was claimed and will not be tried now."""

    async def drop_old(self, now: datetime) -> int:
        """Drop what was not sent in its time. Answers how many mails that were."""

    async def next_due(self, after: datetime) -> datetime | None:
        """When the first mail that was not due at `after` yet is to be tried."""


class Line(Protocol):
    """A connection to a relay, kept from mail to mail: one mail at a time."""

    async def connect(self) -> None:
        """Be connected. Raises RelayAway."""

    async def send(self, letter: Letter, may_end: MayEnd) -> Answer | None:
        """Offer one mail, and what became of it; None: it was not ended, since it may not be."""

    async def rest(self) -> None:
        """Nothing is to be sent for now: a connection that has long been idle is not kept."""

    async def close(self) -> None:
        """Say goodbye, briefly."""


class Relay(Protocol):
    """Where mail goes: at most so many mails at once."""

    name: str
    connections: int

    def line(self) -> Line:
        """One more connection, not opened yet."""


class Letters(Protocol):
    """Makes what is sent."""

    async def message_id(self, key: Key) -> str:
        """The mail's Message-ID, the same at every try."""

    async def letter(self, mail: Taken, sent_at: datetime) -> Letter:
        """The mail as its reader gets it. Raises NoAddress, and anything that is ours to mend."""


class Steps:
    """One mail after the other through take, letter, send and mark; the leases meanwhile kept."""

    FRESH_S = 1.0
    """For so long after the queue has confirmed a lease it is not asked again before the dot."""

    TRUSTED_S = 15.0
    """An answer of the queue that took longer, half of a lease, is not trusted at the dot."""

    def __init__(
        self,
        queue: Queue,
        letters: Letters,
        *,
        relay: str,
        now: Callable[[], datetime],
        patience: Patience,
        after_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.queue = queue
        self._letters = letters
        self._relay = relay
        self._now = now
        self._patience = patience
        self._after_end = after_end
        self._held: dict[Key, float] = {}  # when the queue last confirmed it, by the loop

    async def claim(self, *, most: int, each: int) -> list[Key]:
        """Lease what is due."""
        keys = await self.queue.claim(self._now(), most=most, each=each)
        self._confirm(keys, _time())
        return keys

    async def renew(self) -> None:
        """Begin the leases of all that is held anew. What was lost is not sent."""
        keys, asked_at = list(self._held), _time()
        if not keys:
            return
        kept = await self.queue.renew(keys)
        self._confirm(kept & self._held.keys(), asked_at)
        for key in set(keys) - kept:
            self._held.pop(key, None)

    async def give_back(self, keys: Iterable[Key]) -> None:
        """Best effort: what is not given back is free once its lease has ended."""
        left = list(keys)
        for key in left:
            self._held.pop(key, None)
        if not left:
            return
        try:
            await self.queue.give_back(left)
        except Exception as error:
            log.warning("leases_left", count=len(left), error=type(error).__name__)

    async def deliver(self, key: Key, line: Line) -> None:
        """One mail: taken, made, sent and marked. Raises RelayAway before it was taken."""
        await line.connect()
        asked_at = _time()
        mail = await self.queue.take(key, await self._letters.message_id(key), self._now())
        if mail is None:
            self._held.pop(key, None)
            return
        self._confirm([key], asked_at)
        with (
            structlog.contextvars.bound_contextvars(tenant=str(key.tenant), mail=str(key.id)),
            telemetry.span(
                f"send {mail.template}",
                kind=SpanKind.CLIENT,
                parent=mail.traceparent,
                attempt=mail.attempts + 1,
            ),
        ):
            answer = await self._answer(mail, line)
            if answer is None:
                log.warning("mail_not_ended", template=mail.template, relay=self._relay)
                await self.give_back([key])
            else:
                await self._mark(mail, answer)
                self._held.pop(key, None)

    async def _answer(self, mail: Taken, line: Line) -> Answer | None:
        try:
            letter = await self._letters.letter(mail, self._now())
        except NoAddress:
            return unsendable("no address that mail can be sent to")
        except Exception as error:  # ours to mend: the mail waits for it
            log.exception("mail_not_rendered", template=mail.template)
            return Answer(Outcome.DEFERRED, None, f"not rendered: {type(error).__name__}")

        async def may_end() -> bool:
            return await self._may_end(mail.key)

        with telemetry.span("smtp", kind=SpanKind.CLIENT) as span:  # no address, no word of it
            answer = await line.send(letter, may_end)
            span.set_attribute("outcome", "not ended" if answer is None else answer.outcome)
            span.set_attribute("code", (answer and answer.code) or 0)
        return answer

    async def _may_end(self, key: Key) -> bool:
        """Is the mail still ours? Whoever can't find out does not end it: another will send it."""
        confirmed_at = self._held.get(key)
        if confirmed_at is None:
            return False
        asked_at = _time()
        if asked_at - confirmed_at < self.FRESH_S:
            return True
        try:
            kept = await self.queue.renew([key])
        except Exception as error:
            log.warning("lease_unknown", error=type(error).__name__)
            return False
        self._confirm(kept, asked_at)
        return key in kept and _time() - asked_at < self.TRUSTED_S

    async def _mark(self, mail: Taken, answer: Answer) -> None:
        """Keep the answer, as long as it takes: nothing else is sent on this line before."""
        tries = mail.attempts + 1
        answer = final(
            answer,
            tries=tries,
            most=KINDS[Template(mail.template)].tries,
            doubts=mail.doubts + (answer.outcome is Outcome.UNKNOWN),
        )
        delay = self._patience.mail_delay(tries)
        now = self._now()
        perhaps_at = self._relay if answer.outcome is Outcome.UNKNOWN else None
        mark = Mark(mail, answer, now, now + delay, perhaps_at, telemetry.traceparent())
        failures = 0
        while True:
            try:
                await self.queue.mark(mark)
                break
            except Exception as error:
                log.warning("mail_not_marked", error=type(error).__name__)
                failures += 1
                await asyncio.sleep(min(0.05 * 2.0**failures, 2.0))
        count_try(answer)
        if answer.outcome in FINAL:
            self._after_end()
        level = {Outcome.ACCEPTED: "info", Outcome.REFUSED: "warning"}.get(answer.outcome, "info")
        fields = {} if answer.outcome in FINAL else {"retry_s": round(delay.total_seconds())}
        getattr(log, level)(
            f"mail_{answer.outcome}",
            template=mail.template,
            code=answer.code,
            attempt=tries,
            **fields,
        )

    def _confirm(self, keys: Iterable[Key], asked_at: float) -> None:
        for key in keys:
            self._held[key] = asked_at


def _time() -> float:
    """The loop's own clock, in seconds: virtual where the loop's is."""
    return asyncio.get_running_loop().time()
