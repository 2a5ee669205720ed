"""What the catalog does about identity's events: who is erased leaves nothing here."""

from sqlalchemy import delete

from chassis.work import UnitOfWork
from contracts.identity import AccountErased
from services.catalog.tables import Draft


async def erase_account(work: UnitOfWork, event: AccountErased) -> None:
    """Let go of what the account's person had begun. What is told of it later is passed over."""
    await work.db.execute(delete(Draft).where(Draft.account_id == event.account_id))
    await work.erase_traces(event.account_id, event.person_id)
