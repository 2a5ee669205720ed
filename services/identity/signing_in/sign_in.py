"""A person signs in."""

from uuid import UUID

from chassis.problems import Invalid
from chassis.words import N_
from chassis.work import UnitOfWork
from services.identity.attempts import forget_attempts
from services.identity.domain.devices import UNKNOWN, Device
from services.identity.sessions import OpenedSession, end_session, open_session
from services.identity.signing_in.queries import KnownCredentials
from services.identity.tables import Account


class WrongPair(Invalid):
    """Identifier or password is wrong, the account not active, or tried too often: never which."""

    title = N_(
        "The username or the password is not right. Check both, then try again; after several "
        "attempts, wait a quarter of an hour."
    )


async def sign_in(
    work: UnitOfWork,
    credentials: KnownCredentials,
    attempts_id: UUID,
    new_hash: str | None = None,
    device: Device = UNKNOWN,
) -> OpenedSession:
    """Open a session for whoever knew the password, in place of the one that asked.

    `new_hash` replaces a password's hash that was made with other parameters. Raises WrongPair
    where account or password were changed since the credentials were read.
    """
    account = await work.find(Account, Account.id == credentials.account_id)
    if (
        account is None
        or account.state != "active"
        or account.password_hash != credentials.password_hash
    ):
        raise WrongPair
    if new_hash is not None:
        account.password_hash = new_hash
    await forget_attempts(work, attempts_id)
    if work.principal.session_id is not None:
        await end_session(work, work.principal.session_id)
    return await open_session(work, account.id, device)
