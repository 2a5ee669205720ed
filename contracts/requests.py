"""What requests tells: what was begun and filed, and what its author accepted on the way."""

from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Event
from contracts.words import Words


class RequestSaved(
    Event,
    source="requests",
    version=1,
    subject="request_id",
    concerns=("person_id", "submission_id", "account_id"),
):
    """A request was filed, by a person or, for an account creation, by a submission."""

    request_id: UUID
    number: str  # 2026-000123
    procedure_id: UUID | None
    procedure_title: Words
    person_id: UUID | None
    account_id: UUID | None
    organisation_id: UUID | None
    submission_id: UUID | None
    saved_at: AwareDatetime


class TermsAccepted(
    Event,
    source="requests",
    version=1,
    subject="acceptance_id",
    concerns=("account_id", "person_id"),
):
    """A person accepted a version of the tenant's terms while filing."""

    acceptance_id: UUID
    person_id: UUID
    account_id: UUID
    terms_version: int
    accepted_at: AwareDatetime


class DraftKept(
    Event, source="requests", version=1, subject="draft_id", concerns=("person_id", "account_id")
):
    """A person is filling in a procedure's form.

    Told when they begin, begin anew or are asked by another form, and once for each further day on
    which something is saved, in the tenant's time zone: never for each time that it is.
    """

    draft_id: UUID
    person_id: UUID
    account_id: UUID
    procedure_id: UUID
    form_version: int
    saved_at: AwareDatetime


class DraftDiscarded(
    Event, source="requests", version=1, subject="draft_id", concerns=("person_id", "account_id")
):
    """A person threw a draft away. They may take it back for a while: it is then kept again."""

    draft_id: UUID
    person_id: UUID
    account_id: UUID
    procedure_id: UUID
    discarded_at: AwareDatetime


class DraftEnded(Event, source="requests", version=1, subject="draft_id", ends=True):
    """A draft is no more: it was sent, thrown away for good, or nobody came back to it."""

    draft_id: UUID
