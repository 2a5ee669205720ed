"""What the notifier tells: what became of the mails that others' events asked for."""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Event


class Cause(StrEnum):
    """Why a mail will not be tried again."""

    REFUSED = "refused"  # a relay said no, for good
    UNSENDABLE = "unsendable"  # no relay was asked: its address is none
    GAVE_UP = "gave_up"  # as many tries as its kind is worth came to nothing
    TOO_OLD = "too_old"  # its time was over before a relay took it


CONCERNS = ("request_id", "submission_id", "person_id", "account_id")


class MailAccepted(Event, source="notifier", version=1, subject="mail_id", concerns=CONCERNS):
    """A relay answers for the mail from now on. That its reader has it is not said."""

    mail_id: UUID
    template: str
    cause_id: UUID
    """The event that asked for it."""
    request_id: UUID | None = None
    """The request that it is about, if any."""
    submission_id: UUID | None = None
    """The registration that it is about, if any."""
    person_id: UUID | None = None
    """Whom it was sent to, where that is a person whom the services know."""
    account_id: UUID | None = None
    attempts: int
    accepted_at: AwareDatetime
    code: int
    """SMTP's."""
    words: str
    """The relay's own, on one line, without addresses."""


class MailRefused(Event, source="notifier", version=1, subject="mail_id", concerns=CONCERNS):
    """The mail will not be tried again: a relay refused it for good, or its time was over."""

    mail_id: UUID
    template: str
    cause_id: UUID
    request_id: UUID | None = None
    submission_id: UUID | None = None
    person_id: UUID | None = None
    account_id: UUID | None = None
    attempts: int
    refused_at: AwareDatetime
    cause: Cause
    code: int | None = None
    """SMTP's; none where no relay gave one."""
    words: str
    """The relay's last, on one line, without addresses; ours where it had none."""
