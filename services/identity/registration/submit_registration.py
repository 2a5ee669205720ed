"""Somebody asks for an account."""

from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.forms import AnsweredSection
from contracts.identity import RegistrationSubmitted
from contracts.words import Words
from services.identity.domain.registrations import (
    LAPSES_AFTER,
    AcceptedTerms,
    Answers,
    KeyOfAnother,
)
from services.identity.registration.lapse_registration import LapseRegistration
from services.identity.tables import Registration


@dataclass(frozen=True)
class Filled:
    """A recap that is to be saved: what was answered, as values and as others show it."""

    answers: Answers
    title: Words
    sections: tuple[AnsweredSection, ...]
    language: str
    terms: AcceptedTerms
    one_use_key: str


async def submit_registration(work: UnitOfWork, filled: Filled) -> UUID:
    """Keep the submission and tell of it. Answers the id of the request that records it.

    Does the same whether or not the address is known: who handles the event looks that up. The
    same key brings the submission that it made; raises KeyOfAnother if that was another browser's.
    """
    made = await work.db.execute(
        insert(Registration)
        .values(
            tenant_id=work.tenant,
            id=new_id(),
            version=0,
            request_id=new_id(),
            one_use_key=filled.one_use_key,
            browser=work.principal.browser,
            state="submitted",
            answers=asdict(filled.answers),
            language=filled.language,
            terms_number=filled.terms.number,
            terms_accepted_at=filled.terms.accepted_at,
            submitted_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "one_use_key"])
        .returning(Registration.id)
    )
    is_first = made.first() is not None
    registration = await work.find(Registration, Registration.one_use_key == filled.one_use_key)
    assert registration is not None  # just made, or in the way of making it
    if registration.browser != work.principal.browser:
        raise KeyOfAnother
    if is_first:
        work.emit(
            RegistrationSubmitted(
                submission_id=registration.id,
                request_id=registration.request_id,
                title=filled.title,
                sections=filled.sections,
                language=filled.language,
                terms_version=filled.terms.number,
                submitted_at=work.now,
            )
        )
        lapse = LapseRegistration(submission_id=registration.id)
        await work.later(lapse, work.now + LAPSES_AFTER)
    return registration.request_id
