"""Queue a mail for the event that is being handled: once, however often that event comes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from services.notifier.domain.identifiers import mail_id
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.tables import Mail


@dataclass(frozen=True)
class Recipient:
    """Where a mail goes and in which language; whose it is, if it follows their profile."""

    address: str
    language: str
    person_id: UUID | None = None


async def queue_mail(
    work: UnitOfWork,
    template: Template,
    *,
    to: Recipient,
    requested_at: datetime,
    concerned: Iterable[UUID | None],
    facts: dict[str, Any] | None = None,
    link_id: UUID | None = None,
) -> None:
    """Have the mail sent. `concerned` are those whose erasure takes it along.

    What it says is made when it is sent: nothing that could be used rests in the queue.
    """
    assert work.cause is not None, "mails are made by events"
    kind = KINDS[template]
    assert (kind.purpose is None) == (link_id is None), "a link is of something"
    await work.db.execute(
        insert(Mail)
        .values(
            tenant_id=work.tenant,
            id=mail_id(work.cause.id, template),
            event_id=work.cause.id,
            template=template,
            facts=facts or {},
            person_id=to.person_id,
            address=to.address,
            language=to.language,
            concerned=sorted({one for one in concerned if one is not None}),
            link_purpose=kind.purpose,
            link_id=link_id,
            requested_at=requested_at,
            drop_after=requested_at + kind.shelf_life,
            state="queued",
            due_at=min(requested_at, work.now),
            attempts=0,
            traceparent=work.cause.traceparent,
        )
        .on_conflict_do_nothing()
    )
