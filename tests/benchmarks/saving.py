"""Saving with an event: a unit of work against pgbench running the same SQL, 8 clients each.

A row and the event that tells of it, in one transaction of one tenant, the tenant set with BEGIN.
"""

import asyncio

from chassis.ids import new_id
from guichet.serving import run_until_done
from tests.benchmarks.ground import CLIENTS, Ground, on_ground
from tests.benchmarks.rounds import Meter, Round, profile, skipping, take_turns
from tests.support.parcels.service import label_parcel, service

COUNT = 2_000

# Ids and envelope are made by the server: pgbench makes neither. Sizes are as ours.
SCRIPT = """
\\startpipeline
BEGIN;
SELECT set_config('guichet.tenant', :tenant, true);
\\endpipeline
INSERT INTO parcels (tenant_id, id, label, version)
    VALUES (CAST(:tenant AS uuid), gen_random_uuid(), 'a label', 1);
INSERT INTO outbox (tenant_id, id, concerned, envelope)
    VALUES (CAST(:tenant AS uuid), gen_random_uuid(), ARRAY[gen_random_uuid()],
        jsonb_build_object('id', gen_random_uuid(), 'source', 'parcels',
            'type', 'parcels.ParcelLabelled.v1', 'subject', gen_random_uuid(), 'time', now(),
            'dataschema', '/schemas/parcels.ParcelLabelled.v1', 'tenant', CAST(:tenant AS text),
            'version', 1, 'epoch', 1, 'traceparent', NULL,
            'data', jsonb_build_object('parcel_id', gen_random_uuid(), 'label', 'a label')));
COMMIT;
"""


async def measure(ground: Ground) -> None:
    """Compare, then say where our time goes."""
    tenant = new_id()

    async def client(count: int) -> None:
        for _ in range(count):
            async with ground.database.begin(tenant) as work:
                await label_parcel(work, "a label")

    async def ours() -> Round:
        meter = Meter()
        await asyncio.gather(*(client(COUNT // CLIENTS) for _ in range(CLIENTS)))
        return meter.read(COUNT)

    async def woken() -> Round:
        """With the publisher's wake-up after each commit, as in a running service."""
        woke = asyncio.Event()
        ground.database.after_emit = woke.set
        try:
            return await ours()
        finally:
            ground.database.after_emit = lambda: None

    async def peer() -> Round:
        return await ground.pgbench(SCRIPT, role="app", count=COUNT, tenant=tenant)

    sides = {"a unit of work": ours, "and the publisher woken": woken}
    with skipping("pgbench"):
        await take_turns({**sides, "pgbench": peer}, peer="pgbench")
    await profile("a unit of work", ours)


async def main() -> None:
    """On a server of its own."""
    async with on_ground(service) as ground:
        await measure(ground)


if __name__ == "__main__":
    run_until_done(main())
