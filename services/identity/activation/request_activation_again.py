"""A link came too late, or was lost: its bearer asks for another."""

from sqlalchemy import func, select

from chassis.work import UnitOfWork
from services.identity.domain.activations import can_ask_again
from services.identity.domain.links import (
    AGAIN_A_DAY,
    AGAIN_WITHIN,
    GoneLink,
    Link,
    Standing,
    TooManyLinks,
)
from services.identity.people import ask_for_link
from services.identity.tables import Account, Activation, Person


async def request_activation_again(work: UnitOfWork, link: Link) -> None:
    """Have another link mailed to the address that this one was mailed to.

    The link's signature and place were checked; its age and use do not matter. Raises GoneLink
    where the account no longer waits at that address, TooManyLinks after a few a day.
    """
    activation = await work.find(Activation, Activation.id == link.id)
    if activation is None:
        raise GoneLink
    account = await work.fetch(Account, activation.account_id)
    person = await work.fetch(Person, account.person_id)
    standing = Standing(account.state, person.address, activation.consumed_at, activation.voided_at)
    if not can_ask_again(link, standing):
        raise GoneLink
    lately = await work.db.execute(
        select(func.count()).where(
            Activation.account_id == account.id,
            Activation.requested_at > work.now - AGAIN_WITHIN,
        )
    )
    if lately.scalar_one() > AGAIN_A_DAY:
        raise TooManyLinks(retry_s=AGAIN_WITHIN.total_seconds())
    ask_for_link(work, account, person, link.purpose)
