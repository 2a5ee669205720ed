"""What the worker's steps ask of whatever keeps the inbox: a few verbs, most in a transaction.

PostgreSQL keeps it (`chassis.inbox.postgres`). A simulation keeps it in memory, and drives the same
steps through crashes and disorder; that both answer alike is tested (docs/decisions/0032).
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import UUID

from contracts.event import Envelope

if TYPE_CHECKING:
    from chassis.work import UnitOfWork

FIRST_TENANT = UUID(int=0)

Key = tuple[UUID, UUID, str]
"""What names a row: the tenant, the event's id, and the handler."""


@dataclass(frozen=True)
class Claimed:
    """A row of the inbox that this transaction holds."""

    tenant: UUID
    id: UUID
    handler: str
    concerned: tuple[UUID, ...]
    attempts: int
    singly: bool
    stored_at: datetime
    stored: Any
    """The envelope as JSON: what can't be read is found out by whoever handles it, alone."""

    @cached_property
    def envelope(self) -> Envelope:
        """What came. Raises ValidationError."""
        return Envelope.model_validate(self.stored)

    @property
    def subject(self) -> UUID:
        """Whom it is about."""
        return self.concerned[0]

    @property
    def key(self) -> Key:
        """What names the row."""
        return (self.tenant, self.id, self.handler)


@dataclass(frozen=True)
class Rest:
    """How a row that was not handled goes on: when it is looked at again, if ever."""

    state: Literal["later", "awaiting", "dead"]
    due_at: datetime
    attempts: int
    awaits: UUID | None = None
    error: str | None = None


class Transaction(Protocol):
    """What is done of the inbox in one transaction: all of it, or nothing."""

    async def claim(self, cursor: UUID, *, most: int, each: int) -> tuple[list[Claimed], UUID]:
        """Up to `most` ready rows of the tenants after `cursor`, `each` of one, and where to go on.

        Nobody else gets a row that concerns one of their subjects until this transaction ends.
        """

    async def claim_one(self, key: Key) -> Claimed | None:
        """That very row, or None while another holds it or one of its subjects."""

    async def see(self, rows: Sequence[Claimed], now: datetime) -> set[Key]:
        """Note that these are handled. Answers which of them never were before."""

    async def ended_among(self, rows: Sequence[Claimed]) -> set[tuple[UUID, UUID]]:
        """Which of the subjects that the rows concern have come to their end, by tenant.

        The claim holds those subjects, so nobody else ends one of them meanwhile.
        """

    def handling(self, row: Claimed, epoch: int) -> AbstractAsyncContextManager["UnitOfWork"]:
        """A unit of work in this transaction, as *app* for the row's tenant; finished at the end.

        What is raised within leaves the transaction unusable.
        """

    async def is_newest(self, row: Claimed) -> bool:
        """Keep the row's (epoch, version) for its handler and subject. False if a newer is kept.

        Within `handling` of the row.
        """

    async def remove(self, rows: Sequence[Claimed]) -> None:
        """Take rows that were handled out of the inbox."""

    async def wake(self, rows: Sequence[Claimed]) -> None:
        """Make ready at once whatever awaits one of the subjects that these rows are about."""


class Notes(Protocol):
    """One worker's notes of what it is about to run (docs/decisions/0006)."""

    async def write(self, rows: Sequence[Claimed], *, alone: bool) -> None:
        """Note what is about to run."""

    async def clear(self) -> None:
        """Nothing runs."""

    async def blame_the_left_behind(self) -> int:
        """Act on the notes of workers that are no more. Answers how many there were."""

    async def close(self) -> None:
        """Take the note away and let the lock go."""


class Inbox(Protocol):
    """A service's inbox as its workers see it."""

    @property
    def service(self) -> str:
        """Whose it is."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction, committed when the block ends well and undone otherwise."""

    def notes(self) -> Notes:
        """Notes of a worker of its own."""

    async def load_epoch(self) -> int:
        """The installation's epoch, read once a process."""

    async def ripen(self, now: datetime) -> int:
        """Make ready what is due: timers, retries, those who waited. Answers how many."""

    async def next_due(self) -> datetime | None:
        """When the first row that is not ready yet is due."""

    async def lay_down(self, key: Key, rest: Rest) -> None:
        """Let a row rest that was not handled; one that is dead or gone is left as it is."""

    async def forget_seen(self, before: datetime) -> None:
        """Forget which rows were handled before that instant."""
