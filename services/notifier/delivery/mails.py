"""A mail on its way through delivery: named, as it stands in the queue, and as it is sent."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Key:
    """What names a mail."""

    tenant: UUID
    id: UUID


@dataclass(frozen=True)
class Kept:
    """What is known of a mail when something is told of it."""

    tenant: UUID
    id: UUID
    template: str
    event_id: UUID
    about: dict[str, Any]
    attempts: int  # before this one
    version: int


@dataclass(frozen=True)
class Taken(Kept):
    """A mail to be sent now, as it stands in the queue."""

    facts: dict[str, Any]
    address: str
    language: str
    link_id: UUID | None
    message_id: str
    traceparent: str | None
    doubts: int
    relay: str | None

    @property
    def key(self) -> Key:
        """What names it."""
        return Key(self.tenant, self.id)


@dataclass(frozen=True)
class Letter:
    """A mail ready for the wire: the envelope's two addresses, and its bytes."""

    sender: str
    recipient: str
    message: bytes
