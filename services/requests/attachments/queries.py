"""What serving an attachment reads."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.forms import AttachedFile
from services.requests.tables import Attachment


async def attachment_of(db: AsyncSession, person_id: UUID, id: UUID) -> AttachedFile | None:
    """That file, if this person attached it, to a draft or to a request."""
    found = await db.execute(
        select(Attachment.id, Attachment.name, Attachment.size_bytes, Attachment.media_type).where(
            Attachment.id == id, Attachment.person_id == person_id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return AttachedFile(
        id=row.id, name=row.name, size_bytes=row.size_bytes, media_type=row.media_type
    )


async def still_attached(db: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these are somebody's."""
    found = await db.execute(select(Attachment.id).where(Attachment.id.in_(ids)))
    return set(found.scalars())
