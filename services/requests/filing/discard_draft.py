"""Throwing a draft away: at once for its author, for good an hour later."""

from uuid import UUID

from chassis.subscriptions import Timer
from chassis.work import UnitOfWork
from contracts.requests import DraftDiscarded
from services.requests.domain.drafts import UNDO_FOR
from services.requests.filing.authors import hold_author
from services.requests.filing.telling import end_draft
from services.requests.tables import Draft


class DropDraft(Timer, subject="draft_id"):
    """Set when a draft is thrown away: until then it can be taken back."""

    draft_id: UUID


async def discard_draft(work: UnitOfWork, draft_id: UUID) -> None:
    """Throw the person's own draft away. One that is gone, or another's, is passed over.

    A page of it that is still open somewhere brings it back once something is typed there.
    """
    person_id, _ = await hold_author(work)
    draft = await work.find(Draft, Draft.id == draft_id, Draft.person_id == person_id)
    if draft is None or draft.discarded_at is not None:
        return
    draft.discarded_at = work.now
    work.emit(
        DraftDiscarded(
            draft_id=draft.id,
            person_id=draft.person_id,
            account_id=draft.account_id,
            procedure_id=draft.procedure_id,
            discarded_at=draft.discarded_at,
        )
    )
    await work.later(DropDraft(draft_id=draft.id), work.now + UNDO_FOR)


async def drop_draft(work: UnitOfWork, timer: DropDraft) -> None:
    """Let go of it, unless it was taken back since, or thrown away again only lately."""
    draft = await work.find(Draft, Draft.id == timer.draft_id)
    if draft is None or draft.discarded_at is None:
        return
    drops_at = draft.discarded_at + UNDO_FOR
    if drops_at > work.now:
        await work.later(timer, drops_at)
    else:
        await end_draft(work, draft)
