"""`/ops`: for operators alone, what every part tells of itself, and what is done to dead events."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import clock
from chassis.inbox.dead import DeadRow, acts, dead_rows
from chassis.principals import (
    ADMINISTRATOR,
    CUSTOMER,
    OPERATOR,
    TOKEN_HEADER,
    Call,
    Principal,
    mint,
)
from chassis.sessions import session_cookie_name
from chassis.tenants import PLATFORM
from gateway.app import PARTS, Gateway
from gateway.upstream import InProcess, PartAway
from guichet.parts import DELIVERY
from tests.service.conftest import Town
from tests.support.answers import said
from tests.support.installation import BROWSER, Running
from tests.support.operators import (
    HANDLER,
    OPS,
    SERVICE,
    a_dead_event,
    an_operator,
    at_operators_host,
)
from tests.support.parts import RunningApart
from tests.support.people import Somebody, signed_in, somebody
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def operator(whole: Running) -> Somebody:
    return await an_operator(whole)


@asynccontextmanager
async def at(
    whole: Running, who: Somebody | None, host: str = OPS
) -> AsyncIterator[httpx.AsyncClient]:
    """That person's browser, in English, or a visitor's."""
    async with whole.visitor(host) as client:
        client.headers["accept-language"] = "en"
        if who is not None:
            signed_in(client, whole, who)
        yield client


def address(dead: DeadRow, act: str, service: str = SERVICE) -> str:
    return f"/ops/dead/{service}/{dead.tenant}/{dead.id}/{dead.handler}/{act}"


async def is_dead(whole: Running, dead: DeadRow) -> bool:
    found = await dead_rows(whole.installation.runtimes[SERVICE].database.mover, id=dead.id)
    return bool(found)


async def recorded(whole: Running, dead: DeadRow) -> list[tuple[str, str, str, str]]:
    found = await acts(whole.installation.runtimes[SERVICE].database.mover, most=1000)
    return [
        (one.done_by, one.act, one.handler, one.type) for one in found if one.event_id == dead.id
    ]


@pytest.mark.both_ways
async def test_an_operator_sees_every_part(whole: Running) -> None:
    async with at(whole, await an_operator(whole)) as client:
        page = await client.get("/ops")
    assert page.status_code == 200, page.text
    parts = (*PARTS, DELIVERY) if isinstance(whole, RunningApart) else PARTS
    for part in parts:
        assert f">{part}</bdi>" in page.text
    assert page.text.count('class="tag tag--ok">Well') == len(parts)
    assert page.headers["cache-control"] == "no-store"


async def test_the_page_is_an_operators_alone(
    whole: Running, town: Town, operator: Somebody
) -> None:
    dead = await a_dead_event(whole, town.who)
    local = await somebody(
        whole, town.who.tenant, town.who.host, roles=(CUSTOMER, ADMINISTRATOR, OPERATOR)
    )
    lesser = await at_operators_host(whole, CUSTOMER, ADMINISTRATOR)
    for who, host in ((town.who, town.who.host), (local, local.host), (lesser, OPS)):
        async with at(whole, who, host) as client:
            unknown = said(await client.get("/nothing-of-the-kind"))
            assert unknown[0] == 404
            assert said(await client.get("/ops")) == unknown
            assert said(await client.get(address(dead, "discard"))) == unknown
            for act in ("replay", "discard"):
                answer = await client.post(address(dead, act))
                assert answer.status_code == 404
    async with at(whole, None, town.who.host) as visitor:
        assert (await visitor.get("/ops")).status_code == 404
    for stranger in (None, local):  # whose session is of another host: nobody here
        async with at(whole, stranger) as client:
            for answer in (
                await client.get("/ops"),
                await client.get(address(dead, "discard")),
                await client.post(address(dead, "replay")),
                await client.post(address(dead, "discard")),
            ):
                assert answer.status_code == 303
                assert answer.headers["location"] == "/sign-in?next=%2Fops&why=page"
    assert await is_dead(whole, dead)
    assert await recorded(whole, dead) == []


async def test_a_service_judges_by_itself(whole: Running, town: Town, operator: Somebody) -> None:
    dead = await a_dead_event(whole, town.who)
    path = f"/internal/ops/dead/{dead.tenant}/{dead.id}/{dead.handler}"
    asked = [("GET", "/internal/ops"), ("GET", path)]
    asked += [("POST", f"{path}/replay"), ("POST", f"{path}/discard")]
    one = Principal(kind="person", account_id=operator.account_id, roles=frozenset({OPERATOR}))
    own_key = whole.installation.keys.token_key(SERVICE)
    other_key = whole.installation.keys.token_key("identity")
    calls = {
        "another tenant's": (own_key, Call(town.who.tenant, "http-1", one), 404),
        "no operator": (own_key, Call(PLATFORM, "http-1", Principal(kind="person")), 404),
        "a part": (
            own_key,
            Call(PLATFORM, "http-1", Principal(kind="part", roles=frozenset({OPERATOR}))),
            404,
        ),
        "forged": (other_key, Call(PLATFORM, "http-1", one), 403),
    }
    async with httpx.AsyncClient(
        transport=whole.straight_to(SERVICE), base_url="http://internal"
    ) as client:
        for name, (key, call, status) in calls.items():
            client.headers[TOKEN_HEADER] = mint(key, SERVICE, call, clock.now())
            for method, where in asked:
                answer = await client.request(method, where)
                assert answer.status_code == status, (name, method, where)
    assert await is_dead(whole, dead)


async def test_a_dead_event_is_shown_and_replayed(
    whole: Running, town: Town, operator: Somebody
) -> None:
    dead = await a_dead_event(whole, town.who)
    async with at(whole, operator) as client:
        page = await client.get("/ops")
        assert f"{SERVICE} / {HANDLER}" in page.text
        assert str(dead.id) in page.text
        assert "builtins.ValueError" in page.text
        assert f'action="{address(dead, "replay")}"' in page.text
        crossed = await client.post(
            address(dead, "replay"), headers={"Sec-Fetch-Site": "same-site"}
        )
        assert crossed.status_code == 403
        assert (await client.get(address(dead, "replay"))).status_code == 404
        assert (await client.post(f"{address(dead, 'replay')}?_language=fr")).status_code == 404
        assert await is_dead(whole, dead)

        done = await client.post(address(dead, "replay"))
        assert (done.status_code, done.headers["location"]) == (303, "/ops?done=replayed")
        again = await client.post(address(dead, "replay"))
        assert again.headers["location"] == "/ops?done=gone"
        await whole.settled()
        assert not await is_dead(whole, dead)
        page = await client.get("/ops?done=replayed")
    assert "The event is being handled again." in page.text
    assert str(operator.account_id) not in page.text  # they are `you`
    assert await recorded(whole, dead) == [
        (str(operator.account_id), "replayed", HANDLER, dead.type)
    ]
    admin = await whole.admin(SERVICE)
    try:
        person = "SELECT count(*) FROM inbox_seen WHERE id = $1 AND handler = $2"
        assert await admin.fetchval(person, dead.id, HANDLER) == 1
    finally:
        await admin.close()


async def test_discarding_asks_first_and_is_recorded(
    whole: Running, town: Town, operator: Somebody
) -> None:
    dead = await a_dead_event(whole, town.who)
    async with at(whole, operator) as client:
        sure = await client.get(address(dead, "discard"))
        assert sure.status_code == 200
        assert str(dead.id) in sure.text
        assert await is_dead(whole, dead)
        done = await client.post(address(dead, "discard"))
        assert (done.status_code, done.headers["location"]) == (303, "/ops?done=discarded")
        assert not await is_dead(whole, dead)
        gone = await client.get(address(dead, "discard"))
        assert gone.headers["location"] == "/ops?done=gone"
        elsewhere = await client.get(address(dead, "discard", "gateway"))
        assert elsewhere.status_code == 404
    assert await recorded(whole, dead) == [
        (str(operator.account_id), "discarded", HANDLER, dead.type)
    ]


class Without:
    """An upstream to whom one part is away."""

    def __init__(self, upstream: InProcess, away: str) -> None:
        self._upstream = upstream
        self._away = away

    async def forward(self, part: str, scope: Scope, receive: Receive, send: Send) -> None:
        """As an upstream."""
        if part == self._away:
            raise PartAway(part)
        await self._upstream.forward(part, scope, receive, send)


async def test_a_part_that_is_away_is_told_so_and_the_rest_shown(
    whole: Running, town: Town, operator: Somebody
) -> None:
    dead = await a_dead_event(whole, town.who)
    installation = whole.installation
    upstream = Without(InProcess(installation.apps), SERVICE)
    gateway = Gateway(installation.settings, installation.keys, upstream)
    await gateway.load()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway),
        base_url=f"http://{OPS}:{whole.port}",
        headers={**BROWSER, "Accept-Language": "en"},
        cookies={session_cookie_name(installation.settings): operator.cookie},
    ) as client:
        pages: list[httpx.Response] = []

        async def all_others_are_well() -> bool:
            """A busy machine may let one of them miss its three seconds, once."""
            pages.append(await client.get("/ops"))
            return pages[-1].text.count('class="tag tag--ok">Well') == len(PARTS) - 1

        assert await eventually(all_others_are_well)
        page = pages[-1]
        assert page.status_code == 200
        assert f"{SERVICE} does not answer" in page.text
        assert str(dead.id) not in page.text
        done = await client.post(address(dead, "discard"))
        assert done.headers["location"] == "/ops?done=unknown"
    assert await is_dead(whole, dead)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, f"{DELIVERY} does not answer."),
        (JSONResponse({"ready": False}, 503), f"{DELIVERY} does not answer."),
        (JSONResponse(["ready"]), f"{DELIVERY} does not answer."),
        (JSONResponse({"ready": True, "degraded": {"relay": "refused"}}), "Without: relay"),
        (JSONResponse({"ready": True, "newer": 1}), None),
    ],
    ids=["away", "not ready", "not understood", "without its relay", "well"],
)
async def test_delivery_apart_is_seen_too(
    whole: Running, operator: Somebody, state: JSONResponse | None, told: str | None
) -> None:
    installation = whole.installation
    apps: dict[str, ASGIApp] = {**installation.apps, DELIVERY: state or JSONResponse({})}
    upstream = Without(InProcess(apps), DELIVERY if state is None else "")
    gateway = Gateway(installation.settings, installation.keys, upstream, pageless=(DELIVERY,))
    await gateway.load()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway),
        base_url=f"http://{OPS}:{whole.port}",
        headers={**BROWSER, "Accept-Language": "en"},
        cookies={session_cookie_name(installation.settings): operator.cookie},
    ) as client:

        async def is_told() -> bool:
            """A busy machine may let a part miss its three seconds, once."""
            page = await client.get("/ops")
            well = page.text.count('class="tag tag--ok">Well')
            return (told is None or told in page.text) and well == len(PARTS) + (told is None)

        assert await eventually(is_told)


async def test_mails_that_wait_are_told_tenant_by_tenant(
    whole: Running, town: Town, operator: Somebody
) -> None:
    admin = await whole.admin(SERVICE)
    try:
        columns = await admin.fetchval(
            """SELECT string_agg(attname, ', ') FROM pg_attribute
               WHERE attrelid = 'mails'::regclass AND attnum > 0 AND NOT attisdropped
                   AND attname <> ALL ('{id,event_id,state,due_at}')"""
        )
        made = await admin.fetch(
            f"""INSERT INTO mails (id, event_id, state, due_at, {columns})
                SELECT gen_random_uuid(), gen_random_uuid(), 'queued', now() + interval '1 hour',
                    {columns}
                FROM (SELECT * FROM mails WHERE tenant_id = $1 LIMIT 1) AS one,
                    generate_series(1, 3)
                RETURNING id""",
            town.who.tenant,
        )
        assert len(made) == 3
        found = await whole.installation.runtimes[SERVICE].depth.look_by_tenant()
        async with at(whole, operator) as client:
            page = await client.get("/ops")
        await admin.execute("DELETE FROM mails WHERE id = ANY ($1)", [row["id"] for row in made])
    finally:
        await admin.close()
    assert found["mail"][town.who.tenant].size == 3
    assert found["mail"][town.who.tenant].since is None  # not due yet
    assert re.search(r"Mails that wait.*<bdi>YPOK</bdi>.*<bdi>3</bdi>", page.text, re.DOTALL)
