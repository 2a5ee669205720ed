"""What requests does about identity's events: people, organisations, registrations, erasures.

They may come in any order. What tells of an account, a submission or a procedure that has ended is
passed over before it reaches a handler.
"""

from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.problems import NotYet
from chassis.tenants import tenant_facts
from chassis.work import UnitOfWork
from contracts.identity import (
    AccountActivated,
    AccountErased,
    OrganisationChanged,
    ProfileChanged,
    RegistrationLapsed,
    RegistrationSubmitted,
)
from contracts.requests import RequestSaved
from services.requests.counting import next_number
from services.requests.domain.answers import as_stored
from services.requests.domain.states import SAVED
from services.requests.domain.terms import acceptance_id
from services.requests.tables import (
    Acceptance,
    Attachment,
    Draft,
    MailOutcome,
    Organisation,
    Request,
    Requester,
)


async def project_requester(work: UnitOfWork, event: ProfileChanged) -> None:
    """Keep the person as they now are."""
    values = {
        "account_id": event.account_id,
        "organisation_id": event.organisation_id,
        "title": event.title,
        "birth_name": event.birth_name,
        "first_name": event.first_name,
        "address": event.address,
        "phone": event.phone,
        "language": event.language,
    }
    await work.db.execute(
        insert(Requester)
        .values(tenant_id=work.tenant, id=event.person_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values)
    )


async def project_organisation(work: UnitOfWork, event: OrganisationChanged) -> None:
    """Keep the organisation as it now is."""
    values = {"name": event.name, "city": event.city, "postcode": event.postcode}
    await work.db.execute(
        insert(Organisation)
        .values(tenant_id=work.tenant, id=event.organisation_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values)
    )


async def record_registration(work: UnitOfWork, event: RegistrationSubmitted) -> None:
    """File the account creation as a request of its submission. Waits for the tenant's zone."""
    if await work.find(Request, Request.id == event.request_id) is not None:
        return
    tenant = await tenant_facts(work.db, work.tenant)
    if tenant is None:
        raise NotYet(work.tenant)
    request = work.add(
        Request(
            id=event.request_id,
            number=await next_number(work, tenant.timezone, event.submitted_at),
            procedure_title=event.title,
            sections=as_stored(event.sections),
            submission_id=event.submission_id,
            state=SAVED,
            saved_at=event.submitted_at,
        )
    )
    work.emit(
        RequestSaved(
            request_id=request.id,
            number=request.number,
            procedure_id=None,
            procedure_title=request.procedure_title,
            person_id=None,
            account_id=None,
            organisation_id=None,
            submission_id=request.submission_id,
            saved_at=request.saved_at,
        )
    )


async def link_registration(work: UnitOfWork, event: AccountActivated) -> None:
    """Give the account creation to the person it made. Waits for it where it lacks."""
    if event.submission_id is None:
        return
    request = await work.find(Request, Request.submission_id == event.submission_id)
    if request is None:
        raise NotYet(event.submission_id)
    request.person_id = event.person_id
    request.account_id = event.account_id
    request.organisation_id = event.organisation_id


async def keep_acceptance(work: UnitOfWork, event: AccountActivated) -> None:
    """Keep which terms the person accepted when they made their account: not to ask again."""
    if event.terms_version is None or event.terms_accepted_at is None:
        return
    await work.db.execute(
        insert(Acceptance)
        .values(
            tenant_id=work.tenant,
            id=acceptance_id(event.person_id, event.terms_version),
            person_id=event.person_id,
            account_id=event.account_id,
            terms_version=event.terms_version,
            accepted_at=event.terms_accepted_at,
            version=0,
        )
        .on_conflict_do_nothing()
    )


async def erase_registration(work: UnitOfWork, event: RegistrationLapsed) -> None:
    """Let go of an account creation that came to nothing, whole."""
    await work.db.execute(delete(Request).where(Request.submission_id == event.submission_id))
    await work.db.execute(
        delete(MailOutcome).where(MailOutcome.submission_id == event.submission_id)
    )
    await work.erase_traces(event.submission_id)


async def erase_person(work: UnitOfWork, event: AccountErased) -> None:
    """Let go of a person: of who they are, what they accepted and what they wrote.

    Their requests keep number, procedure, organisation and dates, so that the tenant's numbers
    and counts stay true. The account creation, which tells of the person alone, goes whole,
    whether or not it has come or been linked to them yet.
    """
    # The requester first: a request that is being saved holds that row, and is seen after it.
    await work.db.execute(delete(Requester).where(Requester.id == event.person_id))
    await work.db.execute(delete(Acceptance).where(Acceptance.person_id == event.person_id))
    await work.db.execute(delete(Attachment).where(Attachment.person_id == event.person_id))
    drafts = await work.db.execute(
        delete(Draft).where(Draft.person_id == event.person_id).returning(Draft.id)
    )
    submissions = await _submissions(work, event)
    theirs = select(Request.id).where(Request.person_id == event.person_id)
    await work.db.execute(
        delete(MailOutcome)
        .where(or_(MailOutcome.request_id.in_(theirs), MailOutcome.submission_id.in_(submissions)))
        .execution_options(synchronize_session=False)
    )
    await work.db.execute(delete(Request).where(Request.submission_id.in_(submissions)))
    await work.db.execute(
        update(Request)
        .where(Request.person_id == event.person_id)
        .values(sections=[], person_id=None, account_id=None, key=None)
    )
    await work.end(*submissions)
    await work.erase_traces(event.account_id, event.person_id, *submissions, *drafts.scalars())


async def _submissions(work: UnitOfWork, event: AccountErased) -> set[UUID]:
    """The registrations that the account came from: those linked to it, and the one it names."""
    linked = await work.db.execute(
        select(Request.submission_id).where(
            Request.person_id == event.person_id, Request.submission_id.is_not(None)
        )
    )
    return {one for one in (*linked.scalars(), event.submission_id) if one is not None}
