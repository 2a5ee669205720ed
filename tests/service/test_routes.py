"""Every route that the running apps have: its access rule, its place, and that reading only reads.

Routes are found in the apps' routers. What stands for their parameters is told in
`tests.support.people`, which fails for a parameter that it does not know.
"""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import Mount, Route

from chassis.access import ANYONE, PARTS, SIGNED_IN, allow
from chassis.principals import AGENT
from gateway.app import PARTS as GATEWAY_PARTS
from gateway.routing import PREFIXES, part_of
from guichet.parts import SERVICES
from tests.service.conftest import Town
from tests.support.answers import said
from tests.support.installation import Running
from tests.support.people import same_browser, signed_in
from tests.support.routes import FoundRoute, all_routes, pages, routes_of

pytestmark = [pytest.mark.xdist_group("every route"), pytest.mark.both_ways]

KNOWN_METHODS = {"GET", "HEAD", "POST"}


def without_one_rule(routes: list[FoundRoute]) -> list[str]:
    """Routes that have no access rule, or several, or could not have one."""
    return [str(route) for route in routes if route.kind != "APIRoute" or len(route.rules) != 1]


def astray(routes: list[FoundRoute]) -> list[str]:
    """Routes that the gateway does not lead to, or leads elsewhere; for parts, any that it does."""
    return [
        str(route)
        for route in routes
        if part_of(route.path) != (route.service if route.is_page else None)
        or route.is_page == route.path.startswith("/internal/")
    ]


def unreadable(routes: list[FoundRoute]) -> list[str]:
    """Pages that answer GET and not HEAD, and routes with methods that the gateway lets through."""
    return [
        str(route)
        for route in routes
        if not route.methods <= KNOWN_METHODS
        or (route.is_page and ("GET" in route.methods) != ("HEAD" in route.methods))
    ]


def test_every_route_has_exactly_one_rule(whole: Running) -> None:
    routes = all_routes(whole.installation)
    assert len(routes) > 20
    assert without_one_rule(routes) == []


async def nothing() -> None:
    """A route of the tests' own."""


def test_a_route_without_its_rule_is_found() -> None:
    app, inner, innermost = FastAPI(openapi_url=None), APIRouter(), APIRouter()
    inner.add_api_route("/open", nothing)
    innermost.add_api_route("/deep", nothing)
    innermost.add_api_route("/deep-and-ruled", nothing, dependencies=[allow(AGENT)])
    inner.include_router(innermost)
    app.include_router(inner)
    app.include_router(APIRouter(routes=[Route("/plain", lambda _: Response())]))
    app.add_api_route("/ruled", nothing, dependencies=[ANYONE])
    app.add_api_route("/twice", nothing, dependencies=[ANYONE, SIGNED_IN])
    app.add_api_websocket_route("/socket", nothing)
    app.router.routes.append(Mount("/mounted", routes=[]))
    found = without_one_rule(routes_of("catalog", app))
    assert {one.split()[-1] for one in found} == {
        "/open",
        "/deep",
        "/plain",
        "/twice",
        "/socket",
        "/mounted",
    }


def test_every_route_is_led_to_its_own_part(whole: Running) -> None:
    assert astray(all_routes(whole.installation)) == []
    assert set(PREFIXES.values()) <= set(SERVICES) == set(GATEWAY_PARTS)


def test_a_route_that_nobody_is_led_to_is_found() -> None:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/", nothing, dependencies=[ANYONE])
    app.add_api_route("/nowhere", nothing, dependencies=[ANYONE])
    app.add_api_route("/requests/new", nothing, dependencies=[ANYONE])
    app.add_api_route("/internal/open", nothing, dependencies=[ANYONE])
    app.add_api_route("/categories/all", nothing, dependencies=[PARTS])
    found = astray(routes_of("catalog", app))
    assert {one.split()[-1] for one in found} == {
        "/nowhere",
        "/requests/new",
        "/internal/open",
        "/categories/all",
    }


def test_pages_are_read_by_get_and_head_and_written_by_post(whole: Running) -> None:
    assert unreadable(all_routes(whole.installation)) == []


async def test_nobody_is_led_to_what_is_internal(whole: Running) -> None:
    internal = [route for route in all_routes(whole.installation) if not route.is_page]
    assert internal
    async with whole.visitor() as visitor:
        unknown = said(await visitor.get("/internal/nothing-of-the-kind"))
        for route in internal:
            for path in (
                route.path,
                f"/{route.path}",
                f"/.{route.path}",
                f"/sign-in/..{route.path}",
            ):
                for method in route.methods:
                    answer = await visitor.request(method, httpx.URL(raw_path(visitor, path)))
                    assert answer.status_code == 404, (method, path)
                    if path == route.path:
                        assert said(answer) == unknown


def raw_path(client: httpx.AsyncClient, path: str) -> str:
    """The whole address, with the path as it is: not put in order."""
    return f"{str(client.base_url).rstrip('/')}{path}"


async def state(whole: Running) -> dict[str, str]:
    """Every row of every table, its version included, as a digest a table."""
    found: dict[str, str] = {}
    for service in SERVICES:
        db = await whole.admin(service)
        try:
            for row in await db.fetch("SELECT relname FROM pg_stat_user_tables"):
                table = row["relname"]
                found[f"{service}.{table}"] = await db.fetchval(f"""
                    SELECT count(*) || md5(coalesce(string_agg(
                        xmin::text || ctid::text || held::text, '' ORDER BY ctid), ''))
                    FROM {table} AS held
                """)
        finally:
            await db.close()
    return found


async def quiet_state(whole: Running) -> dict[str, str]:
    """The same, once nothing goes on of itself any more: events handled, mails delivered."""
    await whole.settled()
    before = await state(whole)
    async with asyncio.timeout(20):
        while True:
            await asyncio.sleep(0.1)
            after = await state(whole)
            if after == before:
                return after
            before = after


async def test_a_change_would_be_seen(whole: Running) -> None:
    before = await quiet_state(whole)
    db = await whole.admin("catalog")
    try:
        await db.execute("UPDATE categories SET position = position")
    finally:
        await db.close()
    after = await state(whole)
    assert {table for table in after if after[table] != before[table]} == {"catalog.categories"}


async def test_reading_changes_nothing(whole: Running, town: Town) -> None:
    readable = [route for route in pages(whole.installation) if "GET" in route.methods]
    async with whole.visitor(town.who.host) as visitor, whole.visitor(town.who.host) as customer:
        signed_in(customer, whole, town.who)
        for client in (visitor, customer):
            same_browser(client, whole, town.held)
        before = await quiet_state(whole)
        shown = set()
        for route in readable:
            path = town.held.named(route.service, route.path)
            for client in (visitor, customer):
                for method in ("GET", "HEAD", "GET"):
                    answer = await client.request(method, path)
                    assert answer.status_code < 500, str(route)
                    if answer.status_code == 200:
                        shown.add(route)
        await whole.settled()
        assert await state(whole) == before
    never = {str(route) for route in set(readable) - shown}
    assert never <= {"requests GET|HEAD /procedures/{slug}/{step}"}, "were never really read"


async def test_head_answers_as_get_does(whole: Running, town: Town) -> None:
    differ = []
    async with whole.visitor(town.who.host) as visitor, whole.visitor(town.who.host) as customer:
        signed_in(customer, whole, town.who)
        for client in (visitor, customer):
            same_browser(client, whole, town.held)
            for route in pages(whole.installation):
                if "GET" not in route.methods:
                    continue
                path = town.held.named(route.service, route.path)
                got, headed = [said(await client.request(one, path)) for one in ("GET", "HEAD")]
                if got[:2] != headed[:2]:
                    differ.append((str(route), got[:2], headed[:2]))
    assert differ == []
