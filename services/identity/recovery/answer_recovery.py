"""What was lost is looked at, once whoever said so has their answer: are they known?"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.identity import PasswordResetRequested, UsernameReminderRequested
from services.identity.domain.links import AGAIN_A_DAY, AGAIN_WITHIN
from services.identity.recovery.queries import Known, known_by
from services.identity.tables import Recovery, Reset


@dataclass(frozen=True)
class Typed:
    """What somebody typed of themselves, normalised."""

    address_key: str | None
    username_key: str | None


async def answer_recovery(work: UnitOfWork, recovery_id: UUID) -> None:
    """Have the address told of its identifiers, or each of its accounts mailed a link.

    Without effect where that was done, nobody is known by what was typed, or they were mailed
    often enough today. What was typed is cleared in any case.
    """
    typed = await _typed(work, recovery_id)
    if typed is None:
        return
    known = await known_by(work.db, typed.address_key, typed.username_key)  # locked before it
    recovery = await work.find(Recovery, Recovery.id == recovery_id)
    if recovery is None or (recovery.address_key, recovery.username_key) == (None, None):
        return
    recovery.address_key = recovery.username_key = None
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
