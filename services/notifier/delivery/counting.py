"""What is measured of delivery: tries by what became of them, and the queue's size and age."""

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.depths import MOST, Waiting
from chassis.metrics import COUNTED
from services.notifier.domain.answers import Answer

_tries = Counter(
    "guichet_mail_tries",
    "Tries at mails by what became of them, and the class of the relay's code (none: no answer).",
    ["outcome", "code"],
    registry=COUNTED,
)

# Tenants in turn, as the claim goes: the first that is due of each that is not suspended.
WAITING = text("""
    WITH RECURSIVE turn AS (
        (SELECT tenant_id, due_at FROM mails
         WHERE state = 'queued' ORDER BY tenant_id, due_at LIMIT 1)
        UNION ALL
        (SELECT following.* FROM turn CROSS JOIN LATERAL (
            SELECT tenant_id, due_at FROM mails
            WHERE state = 'queued' AND mails.tenant_id > turn.tenant_id
            ORDER BY tenant_id, due_at LIMIT 1) AS following)
    )
    SELECT
        (SELECT count(*) FROM
            (SELECT FROM mails WHERE state = 'queued' LIMIT :most) AS queued) AS size,
        (SELECT min(due_at) FROM turn JOIN tenant_projections AS tenant USING (tenant_id)
         WHERE tenant.state = 'active') AS due_at
""")


def count_try(answer: Answer) -> None:
    """A mail was tried, and this was the answer."""
    code = f"{answer.code // 100}xx" if answer.code is not None else "none"
    _tries.labels(answer.outcome.value, code).inc()


async def mails_waiting(connection: AsyncConnection) -> Waiting:
    """All that are queued; and since when the first has been due, of a tenant that is served."""
    found = (await connection.execute(WAITING, {"most": MOST})).one()
    due = found.due_at is not None and found.due_at <= clock.now()
    return Waiting(found.size, found.due_at if due else None)
