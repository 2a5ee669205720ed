"""Accounts with their people and organisations, as several slices make and tell of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update

from chassis.forms import normalise_address
from chassis.ids import new_id
from chassis.problems import NotFound
from chassis.work import UnitOfWork
from contracts.identity import (
    AccountRegistered,
    ActivationRequested,
    InvitationRequested,
    OrganisationChanged,
    ProfileChanged,
)
from contracts.links import Purpose
from services.identity.tables import (
    Account,
    Activation,
    EmailChange,
    Organisation,
    Person,
    Reset,
)


@dataclass(frozen=True)
class OrganisationFacts:
    """What is known of a town."""

    name: str
    city: str
    postcode: str


@dataclass(frozen=True)
class PersonFacts:
    """What is known of a human."""

    title: str
    birth_name: str
    first_name: str
    address: str
    language: str


def add_organisation(
    work: UnitOfWork, facts: OrganisationFacts, *, id: UUID | None = None
) -> Organisation:
    """A new organisation."""
    return work.add(
        Organisation(id=id or new_id(), name=facts.name, city=facts.city, postcode=facts.postcode)
    )


async def add_pending_account(
    work: UnitOfWork,
    organisation: Organisation,
    facts: PersonFacts,
    *,
    roles: Sequence[str],
    submission_id: UUID | None = None,
    person_id: UUID | None = None,
    account_id: UUID | None = None,
) -> tuple[Account, Person]:
    """A new person of that organisation and their account, pending; tells of it."""
    await work.db.flush()
    person = work.add(
        Person(
            id=person_id or new_id(),
            organisation_id=organisation.id,
            title=facts.title,
            birth_name=facts.birth_name,
            first_name=facts.first_name,
            address=facts.address,
            address_key=normalise_address(facts.address),
            language=facts.language,
        )
    )
    await work.db.flush()  # no relationship() tells the session what refers to what
    account = work.add(
        Account(
            id=account_id or new_id(),
            person_id=person.id,
            organisation_id=organisation.id,
            submission_id=submission_id,
            state="pending",
            roles=sorted(roles),
            registered_at=work.now,
        )
    )
    work.emit(
        AccountRegistered(
            account_id=account.id,
            person_id=person.id,
            organisation_id=organisation.id,
            submission_id=submission_id,
            registered_at=work.now,
        )
    )
    await work.db.flush()
    return account, person


def ask_for_link(work: UnitOfWork, account: Account, person: Person, purpose: Purpose) -> UUID:
    """Have a link mailed that makes the pending account its person's. Answers what it names."""
    asked = work.add(
        Activation(id=new_id(), account_id=account.id, purpose=purpose.value, requested_at=work.now)
    )
    if purpose is Purpose.INVITATION:
        work.emit(
            InvitationRequested(
                invitation_id=asked.id,
                account_id=account.id,
                address=person.address,
                language=person.language,
                requested_at=work.now,
            )
        )
    else:
        work.emit(
            ActivationRequested(
                activation_id=asked.id,
                account_id=account.id,
                submission_id=account.submission_id,
                address=person.address,
                language=person.language,
                requested_at=work.now,
            )
        )
    return asked.id


async def own_account(work: UnitOfWork) -> tuple[Account, Person]:
    """The principal's account and person, locked in this order. Raises NotFound.

    Not of an account that came to its end while its session was still known elsewhere.
    """
    account_id = work.principal.account_id
    if account_id is None:
        raise NotFound
    account = await work.fetch(Account, account_id)
    if account.state != "active":
        raise NotFound
    return account, await work.fetch(Person, account.person_id)


async def void_links(work: UnitOfWork, account_id: UUID) -> None:
    """None of the account's links serves any more."""
    for kind in (Activation, Reset, EmailChange):
        await work.db.execute(
            update(kind)
            .where(
                kind.account_id == account_id,
                kind.consumed_at.is_(None),
                kind.voided_at.is_(None),
            )
            .values(voided_at=work.now)
        )


def tell_profile(work: UnitOfWork, account: Account, person: Person) -> None:
    """Tell the person as they now are. Both were added or fetched before."""
    work.emit(
        ProfileChanged(
            person_id=person.id,
            account_id=account.id,
            organisation_id=account.organisation_id,
            username=account.username or "",
            title=person.title,
            birth_name=person.birth_name,
            first_name=person.first_name,
            address=person.address,
            phone=person.phone,
            language=person.language,
            roles=tuple(account.roles),
        )
    )


def tell_organisation(work: UnitOfWork, organisation: Organisation) -> None:
    """Tell the organisation as it now is. It was added or fetched before."""
    work.emit(
        OrganisationChanged(
            organisation_id=organisation.id,
            name=organisation.name,
            city=organisation.city,
            postcode=organisation.postcode,
        )
    )
