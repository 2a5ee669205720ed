"""A person wants their mails at another address."""

from uuid import UUID

from sqlalchemy import func, select

from chassis.forms import normalise_address
from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.identity import EmailChangeRequested
from services.identity.attempts import forget_attempts
from services.identity.domain.links import AGAIN_A_DAY, AGAIN_WITHIN, LAPSES_AFTER
from services.identity.domain.profiles import AddressAskedTooOften, SameAddress, WrongPassword
from services.identity.people import own_account
from services.identity.profile.lapse_address_change import LapseAddressChange
from services.identity.tables import EmailChange


async def request_address_change(
    work: UnitOfWork, address: str, known_hash: str, *, attempts_id: UUID | None = None
) -> UUID:
    """Have the new address asked to confirm; until it does, nothing changes. Answers the id.

    `known_hash` is what the current password was compared with. Raises WrongPassword where it was
    changed since, SameAddress, and AddressAskedTooOften after a few a day.
    """
    account, person = await own_account(work)
    if account.password_hash != known_hash:
        raise WrongPassword
    if normalise_address(address) == person.address_key:
        raise SameAddress
    lately = await work.db.execute(
        select(func.count()).where(
            EmailChange.account_id == account.id,
            EmailChange.requested_at > work.now - AGAIN_WITHIN,
        )
    )
    if lately.scalar_one() >= AGAIN_A_DAY:
        raise AddressAskedTooOften
    if attempts_id is not None:
        await forget_attempts(work, attempts_id)
    change = work.add(
        EmailChange(id=new_id(), account_id=account.id, address=address, requested_at=work.now)
    )
    work.emit(
        EmailChangeRequested(
            change_id=change.id,
            account_id=account.id,
            username=account.username or "",
            address=address,
            language=person.language,
            requested_at=work.now,
        )
    )
    await work.later(LapseAddressChange(change_id=change.id), work.now + LAPSES_AFTER)
    return change.id
