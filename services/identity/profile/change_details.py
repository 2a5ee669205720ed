"""A person changes how they are called, by name and by phone."""

from chassis.work import UnitOfWork
from services.identity.domain.profiles import Details
from services.identity.people import own_account, tell_profile


async def change_details(work: UnitOfWork, details: Details) -> None:
    """Keep the principal's details, which the form's rules have passed, and tell of them."""
    account, person = await own_account(work)
    person.title, person.phone = details.title, details.phone
    person.birth_name, person.first_name = details.birth_name, details.first_name
    tell_profile(work, account, person)
