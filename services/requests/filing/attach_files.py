"""Attaching files to a draft, once their bytes are in their place."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from chassis.work import UnitOfWork
from services.requests.domain.attachments import LARGEST_TOGETHER, TooMuchTogether
from services.requests.tables import Attachment


@dataclass(frozen=True)
class NewFile:
    """A file that was looked into, under the id by which its bytes are kept."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int


async def attach_files(work: UnitOfWork, draft_id: UUID, files: Sequence[NewFile]) -> None:
    """Attach them. Raises TooMuchTogether. The draft's author is held by who calls."""
    person_id = work.principal.person_id
    assert person_id is not None  # or there were no draft
    found = await work.db.execute(
        select(func.coalesce(func.sum(Attachment.size_bytes), 0)).where(
            Attachment.draft_id == draft_id
        )
    )
    together = found.scalar_one()
    for file in files:
        together += file.size_bytes
        if together > LARGEST_TOGETHER:
            raise TooMuchTogether(name=file.name)
        work.add(
            Attachment(
                id=file.id,
                person_id=person_id,
                draft_id=draft_id,
                name=file.name,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                attached_at=work.now,
            )
        )
