"""The page of one's requests, against Starlette with raw asyncpg on the same template and rows.

And the same page where the tenant has 1,000,000 requests, against 10,000: of each a hundredth is
this person's. Each call carries a token as the gateway's; no server stands in between.
"""

from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from chassis import clock, logs
from chassis.app import build_app
from chassis.bus import EmbeddedBus
from chassis.database.migrate import with_database
from chassis.database.roles import database_name
from chassis.ids import new_id
from chassis.principals import TOKEN_HEADER, Call, Principal, mint
from chassis.runtime import Runtime
from chassis.settings import Settings
from guichet.serving import run_until_done
from services.requests.domain.states import label_of
from services.requests.following.queries import PAGE_SIZE, RequestLine, RequestList
from services.requests.service import service
from services.requests.web import web
from tests.benchmarks.ground import Ground, on_ground
from tests.benchmarks.rounds import Meter, Round, Side, profile, take_turns
from tests.builders.notifier import a_tenant

COUNT = 300
FEW, MANY = 10_000, 1_000_000
PEOPLE = 100

FILL = """
    INSERT INTO requests (tenant_id, id, version, number, procedure_title, sections, person_id,
        account_id, state, saved_at)
    SELECT $1, gen_random_uuid(), 1, '2026-' || lpad(number::text, 7, '0'),
        '{"fr": "Anomalie - logiciel YPolice", "en": "Fault - YPolice software"}', '[]',
        md5((number % $3)::text)::uuid, md5((number % $3)::text)::uuid, 'saved',
        now() - number * interval '1 second'
    FROM generate_series(1, $2::integer) AS number
"""
PERSON = UUID("cfcd2084-95d5-65ef-66e7-dff9f98764da")  # md5 of 0

LINES = f"""
    SELECT id, number, procedure_title, state, saved_at FROM requests
    WHERE person_id = $1 ORDER BY saved_at DESC, id DESC LIMIT {PAGE_SIZE + 1}
"""
DRAFTS = "SELECT id FROM drafts WHERE person_id = $1 AND discarded_at IS NULL"


async def measure(ground: Ground) -> None:
    """Compare, then say where our time goes."""
    few, many = await filled(ground, FEW), await filled(ground, MANY)
    runtime = Runtime(service, Settings(), ground.database, ground.keys, EmbeddedBus())
    app = build_app(runtime)
    pool = await asyncpg.create_pool(ground.signed_in("app"), init=_init, min_size=1, max_size=1)

    async def bare(http: Request) -> Response:
        """The same rows and the same template, by nothing more."""
        async with pool.acquire() as db:
            await db.execute(
                f"BEGIN; SELECT set_config('guichet.tenant', '{http.state.call.tenant}', true);"
            )
            rows = await db.fetch(LINES, PERSON)
            await db.fetch(DRAFTS, PERSON)
            await db.execute("COMMIT")
        lines = [RequestLine(*row) for row in rows[:PAGE_SIZE]]
        older = lines[-1].id if len(rows) > PAGE_SIZE else None
        return web.render(
            Request({**http.scope, "app": app}),
            "following/list.html",
            found=RequestList(lines, older),
            drafts=[],
            discarded=None,
            label_of=label_of,
        )

    peer = Starlette(routes=[Route("/requests", bare)])

    def asked(of: ASGIApp, tenant: UUID) -> Side:
        principal = Principal(kind="person", person_id=PERSON, account_id=PERSON)
        principal = Principal(**{**principal.__dict__, "roles": frozenset({"customer"})})
        call = Call(tenant, str(new_id()), principal, language="fr")

        async def side() -> Round:
            token = mint(ground.keys.token_key("requests"), "requests", call, clock.now())
            meter = Meter()
            for _ in range(COUNT):
                assert b"2026-" in await page(of, token, call)
            return meter.read(COUNT)

        return side

    ours = asked(app, few)
    bare_name, few_name = "Starlette, asyncpg", "the page"
    await take_turns({few_name: ours, bare_name: asked(peer, few)}, peer=bare_name)
    await take_turns({few_name: ours, f"of {MANY:,}": asked(app, many)}, peer=few_name)
    await profile("the page", ours)
    await pool.close()


async def page(app: ASGIApp, token: str, call: Call) -> bytes:
    """What the app answers to that person's browser."""
    body = bytearray()
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        body.extend(message.get("body", b""))

    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/requests",
            "raw_path": b"/requests",
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"host", b"ypok.localhost"),
                (b"accept", b"text/html"),
                (TOKEN_HEADER.encode(), token.encode()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {"call": call, "principal": call.principal},
        },
        receive,
        send,
    )
    assert status == 200, bytes(body)
    return bytes(body)


async def filled(ground: Ground, count: int) -> UUID:
    """A tenant with so many requests."""
    tenant = new_id()
    admin = await asyncpg.connect(with_database(ground.url, database_name("requests")))
    try:
        await admin.execute(
            "INSERT INTO tenant_projections (tenant_id, state, facts) VALUES ($1, 'active', $2)",
            tenant,
            a_tenant(tenant, host=f"{tenant}.localhost").model_dump_json(),
        )
        await admin.execute(FILL, tenant, count, PEOPLE, timeout=600)
        await admin.execute("ANALYZE requests")
    finally:
        await admin.close()
    return tenant


async def _init(connection: asyncpg.Connection) -> None:
    import json

    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


async def main() -> None:
    """On a server of its own. Calls are not logged: the peer logs none either."""
    logs.configure("json", "WARNING")
    async with on_ground(service) as ground:
        await measure(ground)


if __name__ == "__main__":
    run_until_done(main())
