"""Handling an event: one worker, fifty a commit, against pgbench committing each, one client.

The handler writes a row. The peer's transaction marks the event as seen, writes that row and takes
the event out of the inbox; it neither claims nor locks, which favours it.
"""

from sqlalchemy import text

from chassis.bus import EmbeddedBus
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.settings import Settings
from guichet.serving import run_until_done
from tests.benchmarks.ground import Ground, on_ground
from tests.benchmarks.rounds import Meter, Round, profile, skipping, take_turns
from tests.support.parcels.service import Faults, service

COUNT = 3_000
TENANTS = 50
HANDLER = "note"

FILL = text("""
    INSERT INTO inbox (tenant_id, id, handler, state, due_at, stored_at, concerned, envelope)
    SELECT tenant, id, :handler, :state, now(), now(), ARRAY[id],
        jsonb_build_object(
            'id', id, 'source', 'parcels', 'type', 'parcels.ParcelLabelled.v1', 'subject', id,
            'time', now(), 'dataschema', '/schemas/parcels.ParcelLabelled.v1', 'tenant', tenant,
            'version', 1, 'epoch', 1,
            'data', jsonb_build_object('parcel_id', id, 'label', 'a label'))
    FROM (
        SELECT md5(:round || number::text)::uuid AS id,
            CAST(:tenants AS uuid[]) AS tenants, number
        FROM generate_series(0, CAST(:count AS integer) - 1) AS number
    ) AS made CROSS JOIN LATERAL (
        SELECT tenants[1 + number % array_length(tenants, 1)] AS tenant
    ) AS whose
""")

# As the mover, whom no policy keeps from any tenant, acting as app where ours does.
SCRIPT = """
BEGIN;
INSERT INTO inbox_seen (tenant_id, id, handler, seen_at)
    VALUES (CAST(:tenant AS uuid), md5(:round || CAST(:number AS integer)::text)::uuid, 'note',
        now()) ON CONFLICT DO NOTHING;
SELECT set_config('role', :app, true), set_config('guichet.tenant', :tenant, true);
INSERT INTO notes (tenant_id, id, parcel_id, label)
    VALUES (CAST(:tenant AS uuid), gen_random_uuid(),
        md5(:round || CAST(:number AS integer)::text)::uuid, 'a label');
SELECT set_config('role', 'none', true);
DELETE FROM inbox WHERE tenant_id = CAST(:tenant AS uuid)
    AND id = md5(:round || CAST(:number AS integer)::text)::uuid AND handler = 'note';
COMMIT;
\\set number :number + 1
"""


async def measure(ground: Ground) -> None:
    """Compare, then say where our time goes."""
    runtime = Runtime(service, Settings(), ground.database, ground.keys, EmbeddedBus())
    (worker,) = runtime.workers
    tenants = [new_id() for _ in range(TENANTS)]
    rounds = 0

    async def fill(state: str, among: list[object]) -> str:
        nonlocal rounds
        rounds += 1
        async with ground.database.mover.begin() as connection:
            await connection.execute(
                FILL,
                {
                    "handler": HANDLER,
                    "state": state,
                    "round": f"{rounds}r",
                    "count": COUNT,
                    "tenants": among,
                },
            )
        return f"{rounds}r"

    async def ours() -> Round:
        Faults.ran.clear()
        await fill("ready", list(tenants))
        meter = Meter()
        handled = await worker.drain()
        assert handled == COUNT
        return meter.read(COUNT)

    async def peer() -> Round:
        tag = await fill("later", [tenants[0]])
        return await ground.pgbench(
            SCRIPT,
            role="mover",
            count=COUNT,
            clients=1,
            tenant=tenants[0],
            round=tag,
            number=0,
            app=ground.database.app_role,
        )

    name = "pgbench, one a commit"
    with skipping("pgbench"):
        await take_turns({"fifty a commit": ours, name: peer}, peer=name)
    await profile("handling", ours)


async def main() -> None:
    """On a server of its own."""
    async with on_ground(service) as ground:
        await measure(ground)


if __name__ == "__main__":
    run_until_done(main())
