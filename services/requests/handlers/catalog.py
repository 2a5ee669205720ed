"""What requests does about the catalog's events: it keeps the procedures that may be filed."""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from contracts.catalog import ProcedurePublished, ProcedureRetired
from services.requests.tables import Procedure


async def project_procedure(work: UnitOfWork, event: ProcedurePublished | ProcedureRetired) -> None:
    """Keep the procedure as it is now offered, or let it go. Requests keep their answers."""
    if isinstance(event, ProcedureRetired):
        await work.db.execute(delete(Procedure).where(Procedure.id == event.procedure_id))
        return
    values = {
        "slug": event.slug,
        "title": event.title,
        "description": event.description,
        "minutes": event.minutes,
        "opens": event.opens,
        "form_version": event.form_version,
        "form": None if event.form is None else event.form.model_dump(mode="json"),
    }
    await work.db.execute(
        insert(Procedure)
        .values(tenant_id=work.tenant, id=event.procedure_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values)
    )
