"""An account is made for somebody, active at once: demo data, and what an operator brings over."""

from dataclasses import dataclass
from uuid import UUID

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.identity import AccountActivated
from services.identity.domain import usernames
from services.identity.domain.usernames import UsernameTaken, check_username
from services.identity.people import (
    OrganisationFacts,
    PersonFacts,
    add_organisation,
    add_pending_account,
    tell_organisation,
    tell_profile,
)
from services.identity.tables import Acceptance, Account, Organisation
from services.identity.unique import refusing


@dataclass(frozen=True)
class NewAccount:
    """All that is known of it. The ids are the caller's, so that it can be asked for again."""

    account_id: UUID
    person_id: UUID
    organisation_id: UUID
    organisation: OrganisationFacts
    person: PersonFacts
    username: str
    password_hash: str  # of `services.identity.hashing.hashed_now`
    roles: tuple[str, ...]
    terms_number: int | None  # accepted; none for who has yet to be asked


async def create_account(work: UnitOfWork, new: NewAccount) -> bool:
    """Make the account, and its organisation unless it is there, and tell of both.

    Answers False, without effect, where the account is there already. Raises BadUsername and
    UsernameTaken.
    """
    if await work.find(Account, Account.id == new.account_id) is not None:
        return False
    username = usernames.cleaned(new.username)
    check_username(username)
    organisation = await work.find(Organisation, Organisation.id == new.organisation_id)
    if organisation is None:
        organisation = add_organisation(work, new.organisation, id=new.organisation_id)
    account, person = await add_pending_account(
        work,
        organisation,
        new.person,
        roles=new.roles,
        person_id=new.person_id,
        account_id=new.account_id,
    )
    async with refusing(work, {"uq_accounts_tenant_id_username_key": UsernameTaken}):
        account.username = username
        account.username_key = usernames.username_key(username)
    account.password_hash = new.password_hash
    account.state, account.activated_at = "active", work.now
    if new.terms_number is not None:
        work.add(
            Acceptance(
                id=new_id(),
                account_id=account.id,
                terms_number=new.terms_number,
                accepted_at=work.now,
            )
        )
    work.emit(
        AccountActivated(
            account_id=account.id,
            person_id=person.id,
            organisation_id=organisation.id,
            submission_id=None,
            terms_version=new.terms_number,
            terms_accepted_at=work.now if new.terms_number is not None else None,
            activated_at=work.now,
        )
    )
    tell_profile(work, account, person)
    tell_organisation(work, organisation)
    return True
