"""Who files: held while something of theirs is written, so that it is one thing after the other."""

from uuid import UUID

from sqlalchemy import select

from chassis.problems import SignInRequired
from chassis.work import UnitOfWork
from services.requests.tables import Requester


async def hold_author(work: UnitOfWork) -> tuple[UUID, UUID]:
    """The person and the account that act, alone at filing until the transaction ends.

    An autosave and the save that sends the same draft come one after the other, whichever is
    first; an erasure waits, then sees what was written. Raises SignInRequired for an account that
    is gone.
    """
    who = work.principal
    if who.person_id is None or who.account_id is None:
        raise SignInRequired
    held = await work.db.execute(
        select(Requester.id).where(Requester.id == who.person_id).with_for_update(key_share=True)
    )
    if held.first() is None and await work.has_ended(who.account_id):
        raise SignInRequired
    return who.person_id, who.account_id
