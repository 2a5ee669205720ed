"""Somebody says that they lost their identifier or their password."""

from uuid import UUID

from chassis.forms import normalise_address
from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.identity import RecoverySubmitted
from services.identity.domain.links import LAPSES_AFTER
from services.identity.domain.recoveries import Loss
from services.identity.domain.usernames import username_key
from services.identity.recovery.lapse_recovery import LapseRecovery
from services.identity.tables import Recovery


async def submit_recovery(work: UnitOfWork, loss: Loss) -> UUID:
    """Keep what was typed and tell of it. Answers the recovery's id.

    Does the same whether or not the person is known: who handles the event looks that up.
    """
    recovery = work.add(
        Recovery(
            id=new_id(),
            lost=loss.lost,
            address_key=normalise_address(loss.address) if loss.address else None,
            username_key=username_key(loss.username) if loss.username else None,
            language=loss.language,
            submitted_at=work.now,
        )
    )
    work.emit(
        RecoverySubmitted(
            recovery_id=recovery.id,
            lost=loss.lost,
            language=loss.language,
            submitted_at=work.now,
        )
    )
    await work.later(LapseRecovery(recovery_id=recovery.id), work.now + LAPSES_AFTER)
    return recovery.id
