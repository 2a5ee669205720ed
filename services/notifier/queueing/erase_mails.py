"""Let go of what the mails hold of somebody who is gone."""

from uuid import UUID

from sqlalchemy import delete, or_, select, update

from chassis.database.tables import inbox
from chassis.work import UnitOfWork
from services.notifier.domain.kinds import Template
from services.notifier.domain.naming import names_nobody, naming, without
from services.notifier.tables import Attempt, Mail, Requester


async def erase_mails(work: UnitOfWork, *gone: UUID) -> None:
    """Erase whoever has one of these ids: as a person, an account or a registration.

    Their queued mails are removed; of the others stays that they were sent and what became of
    them. A mail to somebody else that names them loses that name; one that only told of accounts,
    of which none is left, was theirs. What is told of them later has no effect, and nothing of it
    stays in outbox and inbox.
    """
    await work.end(*gone)
    await work.db.execute(
        delete(Requester)
        .where(or_(Requester.id.in_(gone), Requester.account_id.in_(gone)))
        .execution_options(synchronize_session=False)
    )
    emptied = await _forget_names(work, gone)
    theirs = or_(Mail.concerned.overlap(gone), Mail.id.in_(emptied))
    await work.db.execute(
        delete(Mail)
        .where(theirs, Mail.state == "queued")
        .execution_options(synchronize_session=False)
    )
    await work.db.execute(
        update(Attempt)
        .where(Attempt.mail_id.in_(select(Mail.id).where(theirs)))
        .values(words="")
        .execution_options(synchronize_session=False)
    )
    await work.db.execute(
        update(Mail)
        .where(theirs)
        .values(facts={}, address="")
        .execution_options(synchronize_session=False)
    )
    await work.erase_traces(*gone)
    named_by_dead = (
        inbox.c.envelope.contains({"data": {"account_ids": [str(account)]}}) for account in gone
    )
    await work.db.execute(
        delete(inbox).where(
            inbox.c.tenant_id == work.tenant, inbox.c.state == "dead", or_(*named_by_dead)
        )
    )


async def _forget_names(work: UnitOfWork, gone: tuple[UUID, ...]) -> list[UUID]:
    """Take their names out of what names them. Answers the mails that then say nothing."""
    emptied = []
    named = or_(*(Mail.facts.contains(naming(account)) for account in gone))
    for id, template, facts in await work.db.execute(
        select(Mail.id, Mail.template, Mail.facts).where(named)
    ):
        left = without(facts, gone)
        if template == Template.USERNAME_REMINDER and names_nobody(left):
            emptied.append(id)
        await work.db.execute(
            update(Mail)
            .where(Mail.id == id)
            .values(facts=left)
            .execution_options(synchronize_session=False)
        )
    return emptied
