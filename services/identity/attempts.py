"""Attempts are counted before what was typed is looked at, whether right or wrong.

To sign in, to give one's current password, to recover what was lost.
"""

from uuid import UUID

from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from services.identity.domain.attempts import MOST, WITHIN
from services.identity.tables import SignInAttempts


async def count_attempt(work: UnitOfWork, attempts_id: UUID, *, most: int = MOST) -> bool:
    """Count one more. False where there were too many: what was typed does not matter then.

    Runs the same statements for everybody; what is over goes with the same occasion.
    """
    over = work.now - WITHIN
    await work.db.execute(
        delete(SignInAttempts).where(SignInAttempts.since < over, SignInAttempts.id != attempts_id)
    )
    begun = insert(SignInAttempts).values(
        tenant_id=work.tenant, id=attempts_id, since=work.now, count=1
    )
    is_over = SignInAttempts.since < over
    counted = await work.db.execute(
        begun.on_conflict_do_update(
            index_elements=["tenant_id", "id"],
            set_={
                "since": case((is_over, work.now), else_=SignInAttempts.since),
                "count": case((is_over, 1), else_=SignInAttempts.count + 1),
            },
        ).returning(SignInAttempts.count)
    )
    return counted.scalar_one() <= most


async def forget_attempts(work: UnitOfWork, attempts_id: UUID) -> None:
    """Start afresh, after a right one."""
    await work.db.execute(delete(SignInAttempts).where(SignInAttempts.id == attempts_id))
