"""Saving a request: once for its key, under the next number."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.forms import AnsweredSection
from contracts.requests import RequestSaved, TermsAccepted
from contracts.words import Words
from services.requests.counting import next_number
from services.requests.domain.answers import as_stored
from services.requests.domain.states import SAVED
from services.requests.domain.terms import acceptance_id
from services.requests.filing.authors import hold_author
from services.requests.filing.consents import Consent
from services.requests.filing.queries import saved_under
from services.requests.filing.telling import end_draft
from services.requests.tables import Acceptance, Attachment, Draft, Request


@dataclass(frozen=True)
class Filing:
    """A procedure's form, filled and looked over by its author."""

    key: UUID  # of this filing: saving it twice saves once
    procedure_id: UUID
    procedure_title: Words
    form_version: int
    sections: tuple[AnsweredSection, ...]
    consent: Consent
    timezone: str  # the tenant's: the number's year is its calendar's
    draft_key: str = ""  # the key as the pages carry it, which names the draft that is sent


async def save_request(work: UnitOfWork, filing: Filing) -> UUID:
    """Save it, or answer the request that was saved under its key already. Its draft is gone.

    Two at once: the second one's transaction fails on the key, takes no number, and finds the
    first one's request when it is tried again. Raises SignInRequired for an account that is gone.
    """
    saved = await saved_under(work.db, filing.key)
    if saved is not None:
        return saved
    who = work.principal
    person_id, _ = await hold_author(work)
    if filing.consent.accepts:
        await _accept_terms(work, filing.consent)
    request = work.add(
        Request(
            id=new_id(),
            number=await next_number(work, filing.timezone, work.now),
            procedure_id=filing.procedure_id,
            procedure_title=filing.procedure_title,
            form_version=filing.form_version,
            sections=as_stored(filing.sections),
            person_id=person_id,
            account_id=who.account_id,
            organisation_id=who.organisation_id,
            key=filing.key,
            state=SAVED,
            saved_at=work.now,
        )
    )
    await _send_draft(work, filing, request)
    work.emit(
        RequestSaved(
            request_id=request.id,
            number=request.number,
            procedure_id=request.procedure_id,
            procedure_title=request.procedure_title,
            person_id=request.person_id,
            account_id=request.account_id,
            organisation_id=request.organisation_id,
            submission_id=None,
            saved_at=request.saved_at,
        )
    )
    return request.id


async def _send_draft(work: UnitOfWork, filing: Filing, request: Request) -> None:
    """The files that the answers name go over to the request; the draft and the others go."""
    draft = await work.find(
        Draft,
        Draft.person_id == request.person_id,
        Draft.procedure_id == filing.procedure_id,
        Draft.key == filing.draft_key,
    )
    if draft is None:
        return
    sent = [
        file.id
        for section in filing.sections
        for answer in section.answers
        for file in answer.files
    ]
    await work.db.execute(
        update(Attachment)
        .where(Attachment.draft_id == draft.id, Attachment.id.in_(sent))
        .values(draft_id=None, request_id=request.id)
    )
    await end_draft(work, draft)


async def _accept_terms(work: UnitOfWork, consent: Consent) -> None:
    """Keep what was accepted at the introduction, once for each version."""
    id = acceptance_id(consent.person_id, consent.terms_version)
    if await work.find(Acceptance, Acceptance.id == id) is not None:
        return
    account_id = work.principal.account_id
    assert account_id is not None  # a person's principal has one
    acceptance = work.add(
        Acceptance(
            id=id,
            person_id=consent.person_id,
            account_id=account_id,
            terms_version=consent.terms_version,
            accepted_at=consent.begun_at,
        )
    )
    await work.db.flush()  # before the number: the same acceptance from another page is waited for
    work.emit(
        TermsAccepted(
            acceptance_id=acceptance.id,
            person_id=acceptance.person_id,
            account_id=acceptance.account_id,
            terms_version=acceptance.terms_version,
            accepted_at=acceptance.accepted_at,
        )
    )
