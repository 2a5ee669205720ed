"""What somebody lost, and the links that came of it, are kept for as long as a mail may wait."""

from uuid import UUID

from sqlalchemy import delete

from chassis.subscriptions import Timer
from chassis.work import UnitOfWork
from services.identity.tables import Recovery, Reset


class LapseRecovery(Timer, subject="recovery_id"):
    """Set when a recovery is submitted; due eight days later."""

    recovery_id: UUID


async def lapse_recovery(work: UnitOfWork, timer: LapseRecovery) -> None:
    """Let go of it. Its links had their time."""
    await work.db.execute(delete(Reset).where(Reset.recovery_id == timer.recovery_id))
    await work.db.execute(delete(Recovery).where(Recovery.id == timer.recovery_id))
