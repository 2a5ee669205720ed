"""What the other services are told of a draft: that it is kept, and that it ended."""

from sqlalchemy import delete

from chassis.work import UnitOfWork
from contracts.requests import DraftEnded, DraftKept
from services.requests.tables import Attachment, Draft


def tell_kept(work: UnitOfWork, draft: Draft) -> None:
    """Tell of the draft as it now is."""
    work.emit(
        DraftKept(
            draft_id=draft.id,
            person_id=draft.person_id,
            account_id=draft.account_id,
            procedure_id=draft.procedure_id,
            form_version=draft.form_version,
            saved_at=draft.saved_at,
        )
    )


async def end_draft(work: UnitOfWork, draft: Draft) -> None:
    """Let go of it and of the files that are on it still, and tell of its end."""
    await work.db.execute(delete(Attachment).where(Attachment.draft_id == draft.id))
    await work.db.delete(draft)
    work.emit(DraftEnded(draft_id=draft.id))
