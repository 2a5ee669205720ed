"""What was lost is looked at, once whoever said so has their answer: are they known?"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.identity import PasswordResetRequested, UsernameReminderRequested
from contracts.links import Purpose
from services.identity.domain.links import AGAIN_A_DAY, AGAIN_WITHIN
from services.identity.people import ask_for_link
from services.identity.recovery.queries import Known, known_by, waiting_at
from services.identity.tables import Account, Activation, Person, Recovery, Reset


@dataclass(frozen=True)
class Typed:
    """What somebody typed of themselves, normalised."""

    address_key: str | None
    username_key: str | None


async def answer_recovery(work: UnitOfWork, recovery_id: UUID) -> None:
    """Have the address told of its identifiers, or each of its accounts mailed a link.

    An account that was never activated has lost nothing yet: its activation is mailed again.
    Without effect where that was done, nobody is known by what was typed, or they were mailed
    often enough today. What was typed is cleared in any case.
    """
    typed = await _typed(work, recovery_id)
    if typed is None:
        return
    known = await known_by(work.db, typed.address_key, typed.username_key)  # locked before it
    account = None if known else await _waiting(work, typed)
    recovery = await work.find(Recovery, Recovery.id == recovery_id)
    if recovery is None or (recovery.address_key, recovery.username_key) == (None, None):
        return
    recovery.address_key = recovery.username_key = None
    if account is not None:
        await _offer_activation(work, account)
    if not known:
        return
    recovery.account_id = known[0].account_id
    if recovery.lost == "password":
        for one in known:
            await _ask_for_reset(work, recovery, one)
    elif await _may_be_reminded(work, recovery):
        work.emit(
            UsernameReminderRequested(
                recovery_id=recovery.id,
                address=known[0].address,
                usernames=tuple(one.username for one in known),
                account_ids=tuple(one.account_id for one in known),
                language=recovery.language,
                requested_at=work.now,
            )
        )


async def _typed(work: UnitOfWork, recovery_id: UUID) -> Typed | None:
    """Read without a lock: accounts are locked first, as by an erasure."""
    found = await work.db.execute(
        select(Recovery.address_key, Recovery.username_key).where(Recovery.id == recovery_id)
    )
    row = found.first()
    return None if row is None else Typed(row.address_key, row.username_key)


async def _waiting(work: UnitOfWork, typed: Typed) -> Account | None:
    """The newest account that waits at the address, where nothing else was typed; locked."""
    if typed.address_key is None or typed.username_key is not None:
        return None
    id = await waiting_at(work.db, typed.address_key)
    if id is None:
        return None
    return await work.find(Account, Account.id == id, Account.state == "pending")


async def _offer_activation(work: UnitOfWork, account: Account) -> None:
    """The recovery does not name the account, which may lapse before it."""
    links = await work.db.execute(
        select(Activation.purpose, Activation.requested_at)
        .where(Activation.account_id == account.id)
        .order_by(Activation.requested_at.desc(), Activation.id.desc())
        .limit(AGAIN_A_DAY + 1)
    )
    asked = links.all()
    lately = [one for one in asked if one.requested_at > work.now - AGAIN_WITHIN]
    if asked and len(lately) <= AGAIN_A_DAY:
        person = await work.fetch(Person, account.person_id)
        ask_for_link(work, account, person, Purpose(asked[0].purpose))


async def _may_be_reminded(work: UnitOfWork, recovery: Recovery) -> bool:
    lately = await work.db.execute(
        select(func.count()).where(
            Recovery.account_id == recovery.account_id,
            Recovery.lost == "username",
            Recovery.submitted_at > work.now - AGAIN_WITHIN,
            Recovery.id != recovery.id,
        )
    )
    return lately.scalar_one() < AGAIN_A_DAY


async def _ask_for_reset(work: UnitOfWork, recovery: Recovery, known: Known) -> None:
    lately = await work.db.execute(
        select(func.count()).where(
            Reset.account_id == known.account_id, Reset.requested_at > work.now - AGAIN_WITHIN
        )
    )
    if lately.scalar_one() >= AGAIN_A_DAY:
        return
    reset = work.add(
        Reset(
            id=new_id(),
            recovery_id=recovery.id,
            account_id=known.account_id,
            requested_at=work.now,
        )
    )
    work.emit(
        PasswordResetRequested(
            reset_id=reset.id,
            account_id=known.account_id,
            username=known.username,
            address=known.address,
            language=known.language,
            requested_at=work.now,
        )
    )
