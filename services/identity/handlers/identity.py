"""What identity does about its own events: the rest of what a stranger set off, out of sight."""

from chassis.work import UnitOfWork
from contracts.identity import RecoverySubmitted, RegistrationSubmitted
from services.identity.recovery.answer_recovery import answer_recovery
from services.identity.registration.open_registration import open_registration


async def look_into_registration(work: UnitOfWork, event: RegistrationSubmitted) -> None:
    """Open the account that was asked for, or tell the address of those that it has."""
    await open_registration(work, event.submission_id)


async def look_into_recovery(work: UnitOfWork, event: RecoverySubmitted) -> None:
    """Tell those who are known by what was typed; nobody else."""
    await answer_recovery(work, event.recovery_id)
