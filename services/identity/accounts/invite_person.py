"""Somebody is invited to an account, such as a new tenant's first person."""

from uuid import UUID

from sqlalchemy import select

from chassis.principals import ADMINISTRATOR
from chassis.work import UnitOfWork
from contracts.links import Purpose
from services.identity.people import (
    OrganisationFacts,
    PersonFacts,
    add_organisation,
    add_pending_account,
    ask_for_link,
)
from services.identity.tables import Tenant


async def invite_person(
    work: UnitOfWork, address: str, *, roles: tuple[str, ...] = (ADMINISTRATOR,)
) -> UUID:
    """Make a pending account for whoever reads mail there, and have its link mailed.

    Its person belongs to an organisation that is called as the tenant. Answers the account's id.
    """
    tenant = (await work.db.execute(select(Tenant.facts))).scalar_one()
    organisation = add_organisation(work, OrganisationFacts(tenant["name"], "", ""))
    account, person = await add_pending_account(
        work,
        organisation,
        PersonFacts("", "", "", address.strip(), tenant["languages"][0]),
        roles=roles,
    )
    ask_for_link(work, account, person, Purpose.INVITATION)
    return account.id
