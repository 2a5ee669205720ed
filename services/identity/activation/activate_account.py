"""A person makes the account theirs: their identifier, their password, signed in at once."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.identity import AccountActivated
from services.identity.domain import usernames
from services.identity.domain.activations import check_serves
from services.identity.domain.devices import UNKNOWN, Device
from services.identity.domain.links import GoneLink, Link, Standing
from services.identity.domain.usernames import UsernameTaken
from services.identity.people import tell_organisation, tell_profile, void_links
from services.identity.sessions import OpenedSession, open_session
from services.identity.tables import (
    Acceptance,
    Account,
    Activation,
    Organisation,
    Person,
    Registration,
)
from services.identity.unique import refusing


@dataclass(frozen=True)
class Credentials:
    """What its person chose."""

    username: str
    password_hash: str


async def activate_account(
    work: UnitOfWork, link: Link, credentials: Credentials, device: Device = UNKNOWN
) -> OpenedSession:
    """Consume the link, once; the account is active, its person signed in, the others told.

    The link's signature and place, and the rules of usernames and passwords, were checked. Raises
    UsedLink, GoneLink, ExpiredLink and UsernameTaken.
    """
    account = await _account_of(work, link.id)  # locked first: of two at once the other waits here
    activation = await work.fetch(Activation, link.id)
    person = await work.fetch(Person, account.person_id)
    standing = Standing(account.state, person.address, activation.consumed_at, activation.voided_at)
    check_serves(link, standing, work.now)
    async with refusing(work, {"uq_accounts_tenant_id_username_key": UsernameTaken}):
        account.username = usernames.cleaned(credentials.username)
        account.username_key = usernames.username_key(credentials.username)
    account.password_hash = credentials.password_hash
    account.state, account.activated_at = "active", work.now
    activation.consumed_at = work.now
    await work.db.flush()
    await void_links(work, account.id)
    await _tell(work, account, person)
    return await open_session(work, account.id, device)


async def _account_of(work: UnitOfWork, activation_id: UUID) -> Account:
    found = await work.db.execute(
        select(Activation.account_id).where(Activation.id == activation_id)
    )
    account_id = found.scalar_one_or_none()
    if account_id is None:
        raise GoneLink
    return await work.fetch(Account, account_id)


async def _tell(work: UnitOfWork, account: Account, person: Person) -> None:
    organisation = await work.fetch(Organisation, account.organisation_id)
    registration = None
    if account.submission_id is not None:
        registration = await work.fetch(Registration, account.submission_id)
        registration.state, registration.answers = "activated", {}
        work.add(
            Acceptance(
                id=new_id(),
                account_id=account.id,
                terms_number=registration.terms_number,
                accepted_at=registration.terms_accepted_at,
            )
        )
    work.emit(
        AccountActivated(
            account_id=account.id,
            person_id=person.id,
            organisation_id=organisation.id,
            submission_id=account.submission_id,
            terms_version=registration.terms_number if registration else None,
            terms_accepted_at=registration.terms_accepted_at if registration else None,
            activated_at=work.now,
        )
    )
    tell_profile(work, account, person)
    tell_organisation(work, organisation)
