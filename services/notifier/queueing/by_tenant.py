"""What operators see of the mail queue: whose mails wait, and since when they could have gone."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.depths import TENANTS_SHOWN, Waiting
from chassis.runtime import Runtime

MOST_EACH = 1_000
"""Of one tenant's mails so many are counted: where a number says so, there are so many or more."""

# The first mail that is due of each tenant, tenants in turn, all by `ix_mails_queued`.
BY_TENANT = text("""
    WITH RECURSIVE turn AS (
        (SELECT tenant_id, due_at, 1 AS place FROM mails
         WHERE state = 'queued' ORDER BY tenant_id, due_at LIMIT 1)
        UNION ALL
        (SELECT following.tenant_id, following.due_at, turn.place + 1
         FROM turn CROSS JOIN LATERAL (
            SELECT tenant_id, due_at FROM mails
            WHERE state = 'queued' AND mails.tenant_id > turn.tenant_id
            ORDER BY tenant_id, due_at LIMIT 1) AS following
         WHERE turn.place < :tenants)
    )
    SELECT turn.tenant_id, turn.due_at,
        (SELECT count(*) FROM
            (SELECT FROM mails WHERE state = 'queued' AND mails.tenant_id = turn.tenant_id
             LIMIT :most) AS queued) AS size
    FROM turn
""")


async def mails_by_tenant(connection: AsyncConnection) -> Mapping[UUID, Waiting]:
    """Each tenant's mails that are queued, and since when the first of them has been due."""
    found = await connection.execute(BY_TENANT, {"tenants": TENANTS_SHOWN, "most": MOST_EACH})
    now = clock.now()
    return {
        row.tenant_id: Waiting(row.size, row.due_at if row.due_at <= now else None) for row in found
    }


def install_operations(_app: FastAPI, runtime: Runtime) -> None:
    """Have the service tell operators of its mails, tenant by tenant."""
    runtime.depth.by_tenant["mail"] = mails_by_tenant
