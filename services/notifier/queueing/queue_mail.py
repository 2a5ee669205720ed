"""Queue a mail for the event that is being handled: once, however often that event comes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis import telemetry
from chassis.work import UnitOfWork
from services.notifier.domain.identifiers import mail_id
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.domain.outcomes import About
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
    about: About,
    concerned: Iterable[UUID] = (),
    facts: dict[str, Any] | None = None,
    link_id: UUID | None = None,
) -> None:
    """Have the mail sent. `about` names whom what becomes of it is told of.

    Their erasure takes it along, and so does the end of what its link is of or of the `concerned`.

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
            concerned=sorted({*about.ids, *concerned, *((link_id,) if link_id else ())}),
            about=about.as_stored(),
            priority=kind.priority,
            link_purpose=kind.purpose,
            link_id=link_id,
            requested_at=requested_at,
            drop_after=requested_at + kind.shelf_life,
            state="queued",
            due_at=min(requested_at, work.now),
            attempts=0,
            traceparent=telemetry.traceparent(),
        )
        .on_conflict_do_nothing()
    )
