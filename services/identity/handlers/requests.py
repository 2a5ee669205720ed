"""What identity does about requests' events: it keeps who accepted which terms, and when."""

from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from contracts.requests import TermsAccepted
from services.identity.tables import Acceptance, Account


async def keep_acceptance(work: UnitOfWork, event: TermsAccepted) -> None:
    """Keep that the account's person accepted these terms; the first time counts."""
    account = await work.fetch(Account, event.account_id)
    if account.state == "erased":
        return
    await work.db.execute(
        insert(Acceptance)
        .values(
            tenant_id=work.tenant,
            id=event.acceptance_id,
            account_id=account.id,
            terms_number=event.terms_version,
            accepted_at=event.accepted_at,
        )
        .on_conflict_do_nothing()
    )
