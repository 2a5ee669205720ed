"""A person signs out."""

from chassis.work import UnitOfWork
from services.identity.sessions import end_session


async def sign_out(work: UnitOfWork) -> None:
    """End the principal's session, everywhere; without effect for a visitor."""
    if work.principal.session_id is not None:
        await end_session(work, work.principal.session_id)
