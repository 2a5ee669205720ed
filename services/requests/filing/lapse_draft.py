"""A draft that nobody came back to is let go of."""

from uuid import UUID

from chassis.subscriptions import Timer
from chassis.work import UnitOfWork
from services.requests.domain.drafts import KEPT_FOR
from services.requests.filing.telling import end_draft
from services.requests.tables import Draft


class LapseDraft(Timer, subject="draft_id"):
    """Set when a draft is first saved, and again as long as it is worked on."""

    draft_id: UUID


async def lapse_draft(work: UnitOfWork, timer: LapseDraft) -> None:
    """Delete it, unless it was saved since; then look again when that is long ago too."""
    draft = await work.find(Draft, Draft.id == timer.draft_id)
    if draft is None:
        return
    lapses_at = draft.saved_at + KEPT_FOR
    if lapses_at > work.now:
        await work.later(timer, lapses_at)
    else:
        await end_draft(work, draft)
