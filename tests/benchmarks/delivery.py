"""Delivering a mail, against Postfix's `smtp-source -d` at 20 sessions, both to its `smtp-sink`.

The transport alone: a letter made before, over 20 kept connections. And the whole: row, letter,
accepted, marked, over the four connections that a relay has by default, and over 20.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from chassis import logs
from chassis.ids import new_id
from chassis.settings import RelayAt, Settings
from chassis.tenants import TenantCache
from deploy.setup import peers
from guichet.serving import run_until_done
from services.notifier.delivery.deliver import Delivery
from services.notifier.delivery.send import SmtpLine, SmtpRelay
from services.notifier.domain.answers import Outcome
from services.notifier.domain.kinds import Template
from services.notifier.service import service
from tests.benchmarks.ground import Ground, on_ground
from tests.benchmarks.rounds import Meter, Round, Side, profile, say, take_turns, told_by
from tests.builders.notifier import a_tenant
from tests.support.installation import free_port
from tests.support.mails import FACTS, a_letter
from tests.support.waiting import eventually

COUNT = 2_000
SENT = 2_000  # by the transport alone
SESSIONS = 20
TENANTS = 40
PEER = "smtp-source -d"

TENANT = text("""
    INSERT INTO tenant_projections (tenant_id, state, facts)
    VALUES (:tenant, 'active', CAST(:facts AS jsonb))
""")
FILL = text("""
    INSERT INTO mails (tenant_id, id, event_id, template, facts, address, language, concerned,
        requested_at, drop_after, state, due_at, attempts)
    SELECT tenants[1 + number % array_length(tenants, 1)], gen_random_uuid(), gen_random_uuid(),
        'request_recorded', CAST(:facts AS jsonb), 'mairie@saint-amand.example', 'fr', '{}',
        now(), now() + interval '1 day', 'queued', now(), 0
    FROM generate_series(1, CAST(:count AS integer)) AS number,
        (SELECT CAST(:tenants AS uuid[]) AS tenants) AS whose
""")


async def measure(ground: Ground, port: int) -> None:
    """Compare, then say where our time goes."""
    tenants = [new_id() for _ in range(TENANTS)]
    async with ground.database.mover.begin() as connection:
        for tenant in tenants:
            facts = a_tenant(tenant, host=f"{tenant}.localhost").model_dump_json()
            await connection.execute(TENANT, {"tenant": tenant, "facts": facts})
    letter = a_letter(Template.REQUEST_RECORDED)
    relay = SmtpRelay("", RelayAt(host="127.0.0.1", port=port), own_name="localhost")
    lines = [relay.line() for _ in range(SESSIONS)]

    async def may_end() -> bool:
        return True

    async def session(line: SmtpLine, count: int) -> None:
        for _ in range(count):
            answer = await line.send(letter, may_end)
            assert answer is not None
            assert answer.outcome is Outcome.ACCEPTED, answer

    async def transport() -> Round:
        meter = Meter()
        await asyncio.gather(*(session(line, SENT // SESSIONS) for line in lines))
        return meter.read(SENT)

    def delivered(connections: int) -> Side:
        settings = Settings(relay_host="127.0.0.1", relay_port=port, relay_connections=connections)
        tenants_known = TenantCache(ground.database)
        delivery = Delivery(ground.database, tenants_known, ground.keys, settings)

        async def deliver() -> Round:
            await fill(ground, tenants, json.dumps(FACTS[Template.REQUEST_RECORDED]))
            meter = Meter()
            while await delivery.deliver_due():
                pass
            done = meter.read(COUNT)
            await delivery.close()
            return done

        return deliver

    async def source() -> Round:
        meter = Meter(children=True)
        await told_by(
            *(peers.required("smtp-source"), "-d", "-s", str(SESSIONS), "-m", str(SENT)),
            *("-l", str(len(letter.message)), "-f", letter.sender, "-t", letter.recipient),
            f"127.0.0.1:{port}",
            LD_LIBRARY_PATH=peers.libraries(),
        )
        return meter.read(SENT)

    sides: dict[str, Side] = {
        "the transport": transport,
        "the whole, 4 connections": (whole := delivered(4)),
        f"the whole, {SESSIONS}": delivered(SESSIONS),
        PEER: source,
    }
    await take_turns(sides, peer=PEER)
    await profile("the transport", transport)
    await profile("the whole", whole)
    for line in lines:
        await line.close()


async def fill(ground: Ground, tenants: list[UUID], facts: str) -> None:
    """So many mails, due now, of all tenants."""
    async with ground.database.mover.begin() as connection:
        await connection.execute(FILL, {"tenants": tenants, "count": COUNT, "facts": facts})


@asynccontextmanager
async def sink() -> AsyncIterator[int]:
    """Where all mail is taken and thrown away: its port. Raises LookupError."""
    program, port = peers.required("smtp-sink"), free_port()
    as_user = ("-u", "nobody") if os.geteuid() == 0 else ()
    process = await asyncio.create_subprocess_exec(
        *(str(program), *as_user, f"127.0.0.1:{port}", "200"),
        env={**os.environ, "LD_LIBRARY_PATH": peers.libraries()},
    )

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        assert await eventually(answers)
        yield port
    finally:
        process.kill()
        await process.wait()


async def main() -> None:
    """On servers of its own. Mails are not logged: the peer logs none either."""
    logs.configure("json", "WARNING")
    try:
        async with sink() as port, on_ground(service) as ground:
            await measure(ground, port)
    except LookupError as missing:
        say(f"Not measured: {missing}")


if __name__ == "__main__":
    run_until_done(main())  # on the loop that delivery runs on
