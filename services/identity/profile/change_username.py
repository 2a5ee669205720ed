"""A person changes the identifier that they sign in with."""

from chassis.work import UnitOfWork
from services.identity.domain import usernames
from services.identity.domain.usernames import UsernameTaken, check_username
from services.identity.people import own_account, tell_profile
from services.identity.unique import refusing


async def change_username(work: UnitOfWork, username: str) -> None:
    """Keep the principal's new identifier and tell of it. Raises BadUsername and UsernameTaken."""
    username = usernames.cleaned(username)
    check_username(username)
    account, person = await own_account(work)
    async with refusing(work, {"uq_accounts_tenant_id_username_key": UsernameTaken}):
        account.username = username
        account.username_key = usernames.username_key(username)
    tell_profile(work, account, person)
