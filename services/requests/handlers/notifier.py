"""What requests does about the notifier's events: it keeps what became of mails about requests."""

from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from contracts.notifier import MailAccepted, MailRefused
from services.requests.domain.mails import ACCEPTED
from services.requests.tables import MailOutcome


async def note_mail(work: UnitOfWork, event: MailAccepted | MailRefused) -> None:
    """Keep it for the request's page, whether or not that request has come yet."""
    if event.request_id is None and event.submission_id is None:
        return
    if isinstance(event, MailAccepted):
        outcome, ended_at = ACCEPTED, event.accepted_at
    else:
        outcome, ended_at = event.cause.value, event.refused_at
    await work.db.execute(
        insert(MailOutcome)
        .values(
            tenant_id=work.tenant,
            id=event.mail_id,
            request_id=event.request_id,
            submission_id=event.submission_id,
            template=event.template,
            outcome=outcome,
            code=event.code,
            words=event.words,
            ended_at=ended_at,
        )
        .on_conflict_do_nothing()
    )
