"""Which accounts are gone, read so that an erasure under way can't be missed."""

from collections.abc import Sequence
from uuid import UUID

from chassis.work import UnitOfWork


async def who_is_gone(work: UnitOfWork, account_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the accounts that were erased. No other is, before this transaction has ended.

    Raises NotYet while one of them is being erased.
    """
    await work.hold(*account_ids)
    return [account for account in account_ids if await work.has_ended(account)]
