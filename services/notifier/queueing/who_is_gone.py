"""Which accounts are gone, read so that an erasure under way can't be missed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from chassis.work import UnitOfWork
from services.notifier.tables import Requester


async def who_is_gone(work: UnitOfWork, account_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the accounts that were erased. One that is not yet waits for this transaction."""
    await work.db.execute(
        select(Requester.id)
        .where(Requester.account_id.in_(account_ids))
        .order_by(Requester.id)
        .with_for_update(read=True)
    )
    return [account for account in account_ids if await work.has_ended(account)]
