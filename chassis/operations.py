"""What a service tells operators of itself, and what they do to its dead events.

Asked by the gateway's `/ops` with an operator's own token: the act is recorded with their account,
beside the inbox that it changes (decision 0030). To anybody else there is nothing here.
"""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request

from chassis.access import OPERATORS
from chassis.depths import Waiting
from chassis.inbox.dead import DeadRow, acts, dead_rows, discard, replay
from chassis.problems import NotFound
from chassis.runtime import Runtime

DEAD_SHOWN = 50
ACTS_SHOWN = 20

operations = APIRouter()

Handler = Annotated[str, Path(max_length=200)]
DEAD = "/internal/ops/dead/{tenant}/{event}/{handler}"


@operations.get("/internal/ops", dependencies=[OPERATORS])
async def get_operations(http: Request) -> dict[str, Any]:
    """What waits, what is dead and why, what operators did, and what the service lacks."""
    runtime = _runtime(http)
    mover = runtime.database.mover
    depths, by_tenant, dead, done = await asyncio.gather(
        runtime.depth.look(),
        runtime.depth.look_by_tenant(),
        dead_rows(mover, most=DEAD_SHOWN),
        acts(mover, most=ACTS_SHOWN),
    )
    now = depths.looked_at
    causes = {name: check() for name, check in runtime.health.items()}
    return {
        "looked_at": now,
        "degraded": {name: cause for name, cause in causes.items() if cause is not None},
        "outbox": _waiting(depths.outbox, now),
        "inbox": _waiting(depths.inbox, now),
        "retrying": depths.retrying,
        "awaiting": depths.awaiting,
        "dead": depths.dead,
        "queues": {
            name: [{"tenant": tenant, **_waiting(one, now)} for tenant, one in those.items()]
            for name, those in by_tenant.items()
        },
        "dead_events": [asdict(row) for row in dead],
        "acts": [asdict(act) for act in done],
    }


@operations.get(DEAD, dependencies=[OPERATORS])
async def get_dead(http: Request, tenant: UUID, event: UUID, handler: Handler) -> dict[str, Any]:
    """One dead event. Raises NotFound."""
    return asdict(await _dead(http, tenant, event, handler))


@operations.post(f"{DEAD}/replay", dependencies=[OPERATORS])
async def post_replay(http: Request, tenant: UUID, event: UUID, handler: Handler) -> dict[str, Any]:
    """Have it tried again. Raises NotFound where it is dead no more."""
    runtime = _runtime(http)
    if not await replay(runtime.database.mover, tenant, event, handler, by=_who(http)):
        raise NotFound
    runtime.wake_workers()
    return {"act": "replayed"}


@operations.post(f"{DEAD}/discard", dependencies=[OPERATORS])
async def post_discard(
    http: Request, tenant: UUID, event: UUID, handler: Handler
) -> dict[str, Any]:
    """Let it go without effect. Raises NotFound where it is dead no more."""
    if not await discard(_runtime(http).database.mover, tenant, event, handler, by=_who(http)):
        raise NotFound
    return {"act": "discarded"}


async def _dead(http: Request, tenant: UUID, event: UUID, handler: str) -> DeadRow:
    found = await dead_rows(_runtime(http).database.mover, tenant=tenant, id=event)
    for row in found:
        if row.handler == handler:
            return row
    raise NotFound


def _runtime(http: Request) -> Runtime:
    runtime: Runtime = http.app.state.runtime
    return runtime


def _who(http: Request) -> str:
    return str(http.state.principal.account_id)


def _waiting(one: Waiting, now: Any) -> dict[str, Any]:
    return {"size": one.size, "age_s": one.age_s(now)}
