"""Identifiers that can be computed again: the same event makes the same mail, whenever it comes."""

from uuid import UUID, uuid5

from services.notifier.domain.kinds import Template


def mail_id(event_id: UUID, template: Template) -> UUID:
    """The id of the mail that this event asks for.

    Derived and not drawn, so that a mail queued again after a restore keeps its Message-ID.
    """
    return uuid5(event_id, template)


def message_id(mail: UUID, host: str) -> str:
    """The mail's Message-ID (RFC 5322 §3.6.4), the same on every copy."""
    return f"<{mail.hex}@{host}>"
