"""A submission is looked at, once whoever sent it has their answer: is its address known?"""

from uuid import UUID

from chassis.work import UnitOfWork
from contracts.identity import AddressAlreadyKnown
from services.identity.registration.opening import open_account
from services.identity.registration.queries import accounts_at
from services.identity.tables import Registration


async def open_registration(work: UnitOfWork, submission_id: UUID) -> None:
    """Open an account, or have the address told of those that it has.

    Without effect where that was done, or the submission has lapsed.
    """
    registration = await work.fetch(Registration, submission_id)
    if registration.state != "submitted":
        return
    address = registration.answers["email"]
    known = await accounts_at(work.db, address)
    if not known:
        await open_account(work, registration)
        return
    registration.state = "known"
    work.emit(
        AddressAlreadyKnown(
            submission_id=registration.id,
            address=address,
            usernames=tuple(one.username for one in known),
            account_ids=tuple(one.id for one in known),
            language=registration.language,
            requested_at=work.now,
        )
    )
