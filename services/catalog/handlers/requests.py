"""What the catalog does about requests' events: it keeps what people have yet to send."""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from contracts.requests import DraftDiscarded, DraftEnded, DraftKept
from services.catalog.tables import Draft


async def project_draft(work: UnitOfWork, event: DraftKept | DraftDiscarded | DraftEnded) -> None:
    """Keep that a draft waits for its author, or no longer does."""
    if not isinstance(event, DraftKept):
        await work.db.execute(delete(Draft).where(Draft.id == event.draft_id))
        return
    values = {
        "person_id": event.person_id,
        "account_id": event.account_id,
        "procedure_id": event.procedure_id,
        "saved_at": event.saved_at,
    }
    await work.db.execute(
        insert(Draft)
        .values(tenant_id=work.tenant, id=event.draft_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values)
    )
