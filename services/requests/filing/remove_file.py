"""Taking a file off a draft again."""

from uuid import UUID

from sqlalchemy import delete

from chassis.work import UnitOfWork
from services.requests.tables import Attachment


async def remove_file(work: UnitOfWork, draft_id: UUID, id: UUID) -> None:
    """Take it off, if it is on this draft. Its bytes are swept."""
    await work.db.execute(
        delete(Attachment).where(Attachment.id == id, Attachment.draft_id == draft_id)
    )
