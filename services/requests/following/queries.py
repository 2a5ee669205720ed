"""What following reads: a person's own requests, and one of them with its answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from contracts.forms import AnsweredSection, AttachedFile
from contracts.words import Words
from services.requests.domain.mails import RELAYS_OWN
from services.requests.tables import Draft, MailOutcome, Organisation, Request

PAGE_SIZE = 50


@dataclass(frozen=True)
class RequestLine:
    """A request as a line of `Mes demandes`."""

    id: UUID
    number: str
    title: Words
    state: str
    saved_at: datetime


@dataclass(frozen=True)
class DraftLine:
    """What somebody began to fill in, and has not sent."""

    id: UUID
    slug: str
    title: Words
    saved_at: datetime


@dataclass(frozen=True)
class RequestList:
    """A page of the list: the latest requests first."""

    lines: list[RequestLine]
    older_than: UUID | None  # where the next page begins; none: this is the last


@dataclass(frozen=True)
class MailLine:
    """What became of a mail about a request."""

    template: str
    outcome: str
    code: int | None
    words: str
    ended_at: datetime

    @property
    def quoted(self) -> str:
        """What the mail server said; empty where none was asked."""
        if self.outcome not in RELAYS_OWN:
            return ""
        return f"{self.code} {self.words}" if self.code else ""


@dataclass(frozen=True)
class RequestView:
    """A request with its answers."""

    id: UUID
    number: str
    title: Words
    state: str
    saved_at: datetime
    sections: tuple[AnsweredSection, ...]
    organisation: str | None
    is_registration: bool

    @property
    def files(self) -> tuple[AttachedFile, ...]:
        """All files among the answers, in order."""
        return tuple(
            file for section in self.sections for answer in section.answers for file in answer.files
        )


async def requests_of(
    db: AsyncSession, person_id: UUID, older_than: UUID | None = None
) -> RequestList:
    """The person's own requests, a page of them, after the one named."""
    lines = (
        select(Request.id, Request.number, Request.procedure_title, Request.state, Request.saved_at)
        .where(Request.person_id == person_id)
        .order_by(Request.saved_at.desc(), Request.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if older_than is not None:
        last = aliased(Request)
        place = select(last.saved_at, last.id).where(
            last.person_id == person_id, last.id == older_than
        )
        lines = lines.where(tuple_(Request.saved_at, Request.id) < place.scalar_subquery())
    found = [RequestLine(*row) for row in await db.execute(lines)]
    shown = found[:PAGE_SIZE]
    return RequestList(shown, shown[-1].id if len(found) > PAGE_SIZE else None)


async def drafts_of(db: AsyncSession, person_id: UUID) -> list[DraftLine]:
    """The person's own drafts, latest first: one a procedure, so there are few."""
    lines = _draft_lines(person_id).where(Draft.discarded_at.is_(None))
    return [DraftLine(*row) for row in await db.execute(lines)]


async def discarded_draft(db: AsyncSession, person_id: UUID, id: UUID) -> DraftLine | None:
    """That draft, if it is this person's own, thrown away, and can still be taken back."""
    lines = _draft_lines(person_id).where(Draft.discarded_at.is_not(None), Draft.id == id)
    row = (await db.execute(lines)).one_or_none()
    return None if row is None else DraftLine(*row)


def _draft_lines(person_id: UUID) -> Select[UUID, str, dict[str, Any], datetime]:
    return (
        select(Draft.id, Draft.slug, Draft.procedure_title, Draft.saved_at)
        .where(Draft.person_id == person_id)
        .order_by(Draft.saved_at.desc())
    )


async def request_of(db: AsyncSession, person_id: UUID, request_id: UUID) -> RequestView | None:
    """That request, if it is this person's own."""
    return await _view(db, _whole().where(Request.id == request_id, Request.person_id == person_id))


async def mails_about(db: AsyncSession, request_id: UUID) -> list[MailLine]:
    """What became of the mails about that request and its registration, latest first."""
    submission = select(Request.submission_id).where(Request.id == request_id).scalar_subquery()
    lines = (
        select(
            MailOutcome.template,
            MailOutcome.outcome,
            MailOutcome.code,
            MailOutcome.words,
            MailOutcome.ended_at,
        )
        .where(or_(MailOutcome.request_id == request_id, MailOutcome.submission_id == submission))
        .order_by(MailOutcome.ended_at.desc(), MailOutcome.id)
        .limit(PAGE_SIZE)
    )
    return [MailLine(*row) for row in await db.execute(lines)]


async def any_request(db: AsyncSession, request_id: UUID) -> RequestView | None:
    """That request, whosever it is: for the bearer of a handle that identity signed."""
    return await _view(db, _whole().where(Request.id == request_id))


def _whole() -> Select[Request, str]:
    return select(Request, Organisation.name).outerjoin(
        Organisation, Organisation.id == Request.organisation_id
    )


async def _view(db: AsyncSession, question: Select[Request, str]) -> RequestView | None:
    row = (await db.execute(question)).one_or_none()
    if row is None:
        return None
    request, organisation = row
    return RequestView(
        id=request.id,
        number=request.number,
        title=request.procedure_title,
        state=request.state,
        saved_at=request.saved_at,
        sections=tuple(AnsweredSection.model_validate(one) for one in request.sections),
        organisation=organisation,
        is_registration=request.submission_id is not None,
    )
