"""What identity does about its own events: the rest of a registration, out of its sight."""

from chassis.work import UnitOfWork
from contracts.identity import RegistrationSubmitted
from services.identity.registration.open_registration import open_registration


async def look_into_registration(work: UnitOfWork, event: RegistrationSubmitted) -> None:
    """Open the account that was asked for, or tell the address of those that it has."""
    await open_registration(work, event.submission_id)
