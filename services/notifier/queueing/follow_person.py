"""Keep a person's address, and have the mails that wait for them follow it."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from services.notifier.tables import Mail, Requester


async def follow_person(
    work: UnitOfWork, person_id: UUID, *, account_id: UUID, name: str, address: str, language: str
) -> None:
    """Keep them as they now are."""
    values = {"account_id": account_id, "name": name, "address": address, "language": language}
    await work.db.execute(
        insert(Requester)
        .values(tenant_id=work.tenant, id=person_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values)
    )
    await work.db.execute(
        update(Mail)
        .where(Mail.person_id == person_id, Mail.state == "queued")
        .values(address=address, language=language)
    )
