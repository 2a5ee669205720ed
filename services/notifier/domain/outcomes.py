"""What is told of a mail's end, and whom that concerns."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.event import Event
from contracts.notifier import Cause, MailAccepted, MailRefused
from services.notifier.domain.answers import Answer, Outcome


@dataclass(frozen=True)
class About:
    """The request, registration, person and account that a mail is about, as far as known."""

    request_id: UUID | None = None
    submission_id: UUID | None = None
    person_id: UUID | None = None
    account_id: UUID | None = None

    @property
    def ids(self) -> tuple[UUID, ...]:
        """All that are known."""
        found = (getattr(self, field.name) for field in fields(self))
        return tuple(one for one in found if one is not None)

    def as_stored(self) -> dict[str, str]:
        """As JSON, without what is unknown."""
        found = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: str(one) for name, one in found if one is not None}


def end_of(
    mail_id: UUID,
    *,
    template: str,
    cause_id: UUID,
    about: Mapping[str, Any],
    attempts: int,
    answer: Answer,
    at: datetime,
) -> Event | None:
    """What is told of a mail after this answer to its last try; None: it will be tried again."""
    known = {
        "mail_id": mail_id,
        "template": template,
        "cause_id": cause_id,
        "attempts": attempts,
        "code": answer.code,
        "words": answer.words,
        **about,
    }
    if answer.outcome is Outcome.ACCEPTED:
        return MailAccepted.model_validate({**known, "accepted_at": at})
    if answer.outcome is Outcome.REFUSED:
        cause = answer.cause or Cause.REFUSED
        return MailRefused.model_validate({**known, "refused_at": at, "cause": cause})
    return None
