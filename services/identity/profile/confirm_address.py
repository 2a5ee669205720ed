"""Who reads mail at a new address confirms that a person's mails go there from now on."""

from uuid import UUID

from sqlalchemy import select

from chassis.forms import normalise_address
from chassis.work import UnitOfWork
from contracts.identity import EmailChanged
from services.identity.domain.links import GoneLink, Link, Standing, check_serves_active
from services.identity.people import tell_profile, void_links
from services.identity.tables import Account, EmailChange, Person


async def confirm_address(work: UnitOfWork, link: Link) -> None:
    """Consume the link, once; the person's mails go to the new address, and the old one is told.

    All other links of the account are void: some went to the old address. The link's signature and
    place were checked. Raises UsedLink, GoneLink and ExpiredLink.
    """
    account = await _account_of(work, link.id)  # locked first: of two at once the other waits here
    change = await work.fetch(EmailChange, link.id)
    standing = Standing(account.state, change.address, change.consumed_at, change.voided_at)
    check_serves_active(link, standing, work.now)
    person = await work.fetch(Person, account.person_id)
    old_address = person.address
    change.consumed_at = work.now
    person.address, person.address_key = change.address, normalise_address(change.address)
    await work.db.flush()
    await void_links(work, account.id)
    work.emit(
        EmailChanged(
            account_id=account.id,
            person_id=person.id,
            username=account.username or "",
            old_address=old_address,
            new_address=person.address,
            language=person.language,
            changed_at=work.now,
        )
    )
    tell_profile(work, account, person)


async def _account_of(work: UnitOfWork, change_id: UUID) -> Account:
    found = await work.db.execute(select(EmailChange.account_id).where(EmailChange.id == change_id))
    account_id = found.scalar_one_or_none()
    if account_id is None:
        raise GoneLink
    return await work.fetch(Account, account_id)
