"""What requests tells: what was filed, and what its author accepted on the way."""

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
