"""What the notifier does about requests' events: it tells requesters what becomes of theirs."""

from chassis.work import UnitOfWork
from contracts.requests import RequestSaved
from services.notifier.domain.kinds import Template
from services.notifier.domain.outcomes import About
from services.notifier.queueing.queue_mail import Recipient, queue_mail
from services.notifier.tables import Requester


async def mail_request_recorded(work: UnitOfWork, event: RequestSaved) -> None:
    """Confirm a request to the person who filed it. An account's creation has a mail of its own."""
    if event.person_id is None or event.submission_id is not None:
        return
    requester = await work.fetch(Requester, event.person_id)
    await queue_mail(
        work,
        Template.REQUEST_RECORDED,
        to=Recipient(requester.address, requester.language, requester.id),
        requested_at=event.saved_at,
        about=About(
            request_id=event.request_id, person_id=event.person_id, account_id=event.account_id
        ),
        facts={
            "request_id": str(event.request_id),
            "number": event.number,
            "title": event.procedure_title,
            "saved_at": event.saved_at.isoformat(),
        },
    )
