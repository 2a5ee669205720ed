"""Taking back a draft that one threw away."""

from uuid import UUID

from chassis.problems import NotFound
from chassis.work import UnitOfWork
from services.requests.filing.authors import hold_author
from services.requests.filing.telling import tell_kept
from services.requests.tables import Draft


async def restore_draft(work: UnitOfWork, draft_id: UUID) -> None:
    """Keep the person's own draft again. Raises NotFound for one that is gone, or another's."""
    person_id, _ = await hold_author(work)
    draft = await work.find(Draft, Draft.id == draft_id, Draft.person_id == person_id)
    if draft is None:
        raise NotFound
    if draft.discarded_at is not None:
        draft.discarded_at = None
        tell_kept(work, draft)
