"""Deliberate bugs in the delivery of mails: what the simulation must catch."""

from collections.abc import Callable
from dataclasses import replace

from services.notifier.delivery.deliver import Deliverer
from services.notifier.delivery.mails import Key, Taken
from services.notifier.delivery.mark import Mark
from services.notifier.delivery.steps import Steps
from services.notifier.domain.answers import Answer, Outcome
from tests.simulation.mailing import Mail, MailParts, MemoryQueue


class EndsWithoutAsking(Steps):
    """Sends the final dot however long ago the lease was begun."""

    async def _may_end(self, key: Key) -> bool:
        return True


class TrustsOldLeases(Steps):
    """Takes a lease that was confirmed a minute ago for one that still holds."""

    FRESH_S = 60.0


class TakesDoubtForYes(Steps):
    """Marks as accepted what the relay never confirmed."""

    async def _mark(self, mail: Taken, answer: Answer) -> None:
        if answer.outcome is Outcome.UNKNOWN:
            answer = replace(answer, outcome=Outcome.ACCEPTED)
        await super()._mark(mail, answer)


class TakesLaterForNever(Steps):
    """Gives up a mail that the relay asked to send again."""

    async def _mark(self, mail: Taken, answer: Answer) -> None:
        if answer.outcome is Outcome.DEFERRED:
            answer = replace(answer, outcome=Outcome.REFUSED)
        await super()._mark(mail, answer)


class ForgetsAMarkThatFailed(Steps):
    """Marks once: where the database was away, the mail is sent again."""

    async def _mark(self, mail: Taken, answer: Answer) -> None:
        now = self._now()
        try:
            await self.queue.mark(Mark(mail, answer, now, now))
        except Exception:
            await self.give_back([mail.key])


class SendsWhatIsUnderWay(Deliverer):
    """Takes up what it is given again, though it has it in hand: its lease had ended."""

    async def _claim(self) -> list[Key]:
        keys = await self.steps.claim(most=self.BATCH, each=self.EACH)
        self._claimed.extend(keys)
        return keys


class TrustsLateAnswers(Steps):
    """Believes that it holds a mail, however long the queue's answer took."""

    TRUSTED_S = 1000.0


class ClaimsWhatIsLeased(MemoryQueue):
    """Claims mails though others hold them."""

    def _is_free(self, mail: Mail) -> bool:
        return True


class IgnoresWhoseLeaseItIs(MemoryQueue):
    """Takes and renews mails without regard to who holds them."""

    def _is_held(self, mail: Mail) -> bool:
        return mail.state == "queued"


MAIL_BUGS: dict[str, Callable[[], MailParts]] = {
    **{
        kind.__name__: (lambda kind=kind: MailParts(steps=kind))  # type: ignore[misc]
        for kind in (
            EndsWithoutAsking,
            TrustsOldLeases,
            TakesDoubtForYes,
            TakesLaterForNever,
            ForgetsAMarkThatFailed,
            TrustsLateAnswers,
        )
    },
    "SendsWhatIsUnderWay": lambda: MailParts(deliverer=SendsWhatIsUnderWay),
    **{
        kind.__name__: (lambda kind=kind: MailParts(queue=kind))  # type: ignore[misc]
        for kind in (ClaimsWhatIsLeased, IgnoresWhoseLeaseItIs)
    },
}
"""By name, a run's parts with one bug among them."""
