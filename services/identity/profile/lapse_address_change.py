"""A new address that was asked for is kept for as long as its mail may wait."""

from uuid import UUID

from sqlalchemy import delete

from chassis.subscriptions import Timer
from chassis.work import UnitOfWork
from services.identity.tables import EmailChange


class LapseAddressChange(Timer, subject="change_id"):
    """Set when a new address is asked for; due eight days later."""

    change_id: UUID


async def lapse_address_change(work: UnitOfWork, timer: LapseAddressChange) -> None:
    """Let go of it, confirmed or not. Its link had its time."""
    await work.db.execute(delete(EmailChange).where(EmailChange.id == timer.change_id))
