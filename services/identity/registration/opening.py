"""A submission becomes an account that waits for its activation."""

from chassis.principals import CUSTOMER
from chassis.work import UnitOfWork
from contracts.links import Purpose
from services.identity.domain.registrations import Answers
from services.identity.people import (
    OrganisationFacts,
    PersonFacts,
    add_organisation,
    add_pending_account,
    ask_for_link,
)
from services.identity.tables import Registration


async def open_account(work: UnitOfWork, registration: Registration) -> None:
    """Make organisation, person and account, and have the activation's link mailed.

    A second registration for a town gets an organisation of its own: whoever first types "Lyon"
    does not become its manager.
    """
    told = Answers(**registration.answers)
    organisation = add_organisation(
        work, OrganisationFacts(told.town_name, told.city, told.postcode)
    )
    account, person = await add_pending_account(
        work,
        organisation,
        PersonFacts(
            told.title, told.birth_name, told.first_name, told.email, registration.language
        ),
        roles=(CUSTOMER,),
        submission_id=registration.id,
    )
    ask_for_link(work, account, person, Purpose.ACTIVATION)
    registration.state = "opened"
    registration.account_id = account.id
