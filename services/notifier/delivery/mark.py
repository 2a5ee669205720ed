"""Marking a mail with what became of its try: one short transaction each, right after the answer.

Marks are no-ops when they come twice, so one whose commit is unknown is made again. An acceptance
counts whoever holds the lease by now; anything else only for its holder.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.ids import new_id
from services.notifier.delivery.claim import Key
from services.notifier.domain.answers import Answer, Outcome

STATES = {
    Outcome.ACCEPTED: "accepted",
    Outcome.REFUSED: "refused",
    Outcome.DEFERRED: "queued",
    Outcome.UNKNOWN: "queued",
}

# An erased mail has no row any more, and so gets no attempt.
MARK = text("""
    WITH marked AS (
        UPDATE mails SET state = :state, attempts = attempts + 1, due_at = :due_at,
            accepted_at = CASE WHEN :outcome = 'accepted' THEN CAST(:now AS timestamptz) END,
            lease_by = NULL, lease_until = NULL
        WHERE tenant_id = :tenant AND id = :id AND state = 'queued'
            AND (lease_by = :holder OR :outcome = 'accepted')
        RETURNING tenant_id, id
    )
    INSERT INTO attempts (tenant_id, id, mail_id, tried_at, outcome, code, words)
    SELECT tenant_id, :attempt, id, :now, :outcome, :code, :words FROM marked
""")


async def mark(
    mover: AsyncEngine, key: Key, holder: str, answer: Answer, *, now: datetime, due_at: datetime
) -> None:
    """Keep the answer; where it was not final, the mail rests until `due_at`."""
    async with mover.begin() as connection:
        await connection.execute(
            MARK,
            {
                "tenant": key.tenant,
                "id": key.id,
                "holder": holder,
                "state": STATES[answer.outcome],
                "outcome": answer.outcome,
                "attempt": new_id(),
                "now": now,
                "due_at": due_at,
                "code": answer.code,
                "words": answer.words,
            },
        )
