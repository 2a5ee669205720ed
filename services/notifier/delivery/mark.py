"""Marking mails with what became of a try, and telling of their end in the same transaction.

Marks are no-ops when they come twice, so one whose commit is unknown is made again. An acceptance
counts whoever holds the lease by now; anything else only for its holder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.ids import new_id
from contracts.event import Envelope, sealed
from contracts.notifier import Cause
from services.notifier.delivery.mails import Kept
from services.notifier.domain.answers import Answer, Outcome
from services.notifier.domain.outcomes import end_of

STATES = {
    Outcome.ACCEPTED: "accepted",
    Outcome.REFUSED: "refused",
    Outcome.DEFERRED: "queued",
    Outcome.UNKNOWN: "queued",
}

# An erased mail has no row any more: it gets no attempt, and nothing is told of it.
MARK = text("""
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:attempts AS uuid[]),
            CAST(:states AS text[]), CAST(:outcomes AS text[]), CAST(:codes AS int[]),
            CAST(:words AS text[]), CAST(:tried AS timestamptz[]), CAST(:due AS timestamptz[]),
            CAST(:relays AS text[]), CAST(:events AS uuid[]), CAST(:concerned AS text[]),
            CAST(:envelopes AS text[])
        ) AS given (
            tenant_id, id, attempt, state, outcome, code, words, tried_at, due_at, relay, event,
            concerned, envelope
        )
    ), marked AS (
        UPDATE mails SET state = given.state, attempts = attempts + 1, due_at = given.due_at,
            accepted_at = CASE WHEN given.outcome = 'accepted' THEN given.tried_at END,
            doubts = doubts + CASE WHEN given.outcome = 'unknown' THEN 1 ELSE 0 END,
            relay = coalesce(given.relay, mails.relay),
            version = version + CASE WHEN given.event IS NULL THEN 0 ELSE 1 END,
            lease_by = NULL, lease_until = NULL
        FROM given
        WHERE mails.tenant_id = given.tenant_id AND mails.id = given.id
            AND mails.state = 'queued'
            AND (mails.lease_by = :holder OR given.outcome = 'accepted')
        RETURNING given.*
    ), tried AS (
        INSERT INTO attempts (tenant_id, id, mail_id, tried_at, outcome, code, words)
        SELECT tenant_id, attempt, id, tried_at, outcome, code, words FROM marked
    )
    INSERT INTO outbox (tenant_id, id, concerned, envelope)
    SELECT tenant_id, event, CAST(concerned AS uuid[]), CAST(envelope AS jsonb) FROM marked
    WHERE event IS NOT NULL
""")

OLD = text("""
    SELECT tenant_id, id, template, event_id, about, attempts, version FROM mails
    WHERE state = 'queued' AND drop_after <= :now
        AND (lease_until IS NULL OR lease_until <= clock_timestamp())
    ORDER BY drop_after LIMIT :most FOR UPDATE SKIP LOCKED
""")

DROP = text("""
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:events AS uuid[]),
            CAST(:concerned AS text[]), CAST(:envelopes AS text[])
        ) AS given (tenant_id, id, event, concerned, envelope)
    ), dropped AS (
        UPDATE mails SET state = 'dropped', facts = '{}', version = version + 1,
            lease_by = NULL, lease_until = NULL
        FROM given WHERE mails.tenant_id = given.tenant_id AND mails.id = given.id
        RETURNING given.*
    )
    INSERT INTO outbox (tenant_id, id, concerned, envelope)
    SELECT tenant_id, event, CAST(concerned AS uuid[]), CAST(envelope AS jsonb) FROM dropped
""")

IN_TIME = Answer(Outcome.REFUSED, None, "", Cause.TOO_OLD)


@dataclass(frozen=True)
class Mark:
    """A try that has ended: the mail, what was answered when, and, if it was no end, what then."""

    mail: Kept
    answer: Answer
    at: datetime
    due_at: datetime
    relay: str | None = None  # which perhaps has it
    traceparent: str | None = None


async def mark_all(
    connection: AsyncConnection, marks: Sequence[Mark], *, holder: str, epoch: int
) -> None:
    """Keep the answers; what they did not end rests until it is due again."""
    told = [
        _told(
            one.mail,
            one.answer,
            at=one.at,
            attempts=one.mail.attempts + 1,
            epoch=epoch,
            traceparent=one.traceparent,
        )
        for one in marks
    ]
    await connection.execute(
        MARK,
        {
            "tenants": [one.mail.tenant for one in marks],
            "ids": [one.mail.id for one in marks],
            "attempts": [new_id() for _ in marks],
            "states": [STATES[one.answer.outcome] for one in marks],
            "outcomes": [one.answer.outcome.value for one in marks],
            "codes": [one.answer.code for one in marks],
            "words": [one.answer.words for one in marks],
            "tried": [one.at for one in marks],
            "due": [one.due_at for one in marks],
            "relays": [one.relay for one in marks],
            "holder": holder,
            **_columns(told),
        },
    )


async def drop_old(connection: AsyncConnection, now: datetime, *, most: int, epoch: int) -> int:
    """Drop what was not sent in its time, and tell so. Answers how many mails that were."""
    found = await connection.execute(OLD, {"now": now, "most": most})
    mails = [Kept(*row) for row in found]
    if mails:
        told = [_told(one, IN_TIME, at=now, attempts=one.attempts, epoch=epoch) for one in mails]
        given = {"tenants": [one.tenant for one in mails], "ids": [one.id for one in mails]}
        await connection.execute(DROP, {**given, **_columns(told)})
    return len(mails)


Told = tuple[Envelope, tuple[UUID, ...]]
"""An envelope, and whom it concerns."""


def _told(
    mail: Kept,
    answer: Answer,
    *,
    at: datetime,
    attempts: int,
    epoch: int,
    traceparent: str | None = None,
) -> Told | None:
    event = end_of(
        mail.id,
        template=mail.template,
        cause_id=mail.event_id,
        about=mail.about,
        attempts=attempts,
        answer=answer,
        at=at,
    )
    if event is None:
        return None
    envelope = sealed(
        event,
        id=new_id(),
        tenant=mail.tenant,
        time=at,
        version=mail.version + 1,
        epoch=epoch,
        traceparent=traceparent,
    )
    return envelope, (event.subject_id, *event.concerned_ids)


def _columns(told: Sequence[Told | None]) -> dict[str, Any]:
    return {
        "events": [one and one[0].id for one in told],
        "concerned": [one and "{" + ",".join(map(str, one[1])) + "}" for one in told],
        "envelopes": [one and one[0].model_dump_json() for one in told],
    }
