"""Whatever the gateway answers carries the security headers, and no page breaks its own policy."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from gateway.headers import SECURITY
from guichet.parts import SERVICES
from tests.service.conftest import Town
from tests.support.installation import Running
from tests.support.people import of_nothing, same_browser, signed_in
from tests.support.routes import pages

pytestmark = pytest.mark.xdist_group("every route")

NOT_ALLOWED = re.compile(
    r"""<script(?![^>]*\ssrc="/static/[^"]*"[^>]*></script>)
    | <style | \sstyle\s*= | \son[a-z]+\s*= | javascript: | <base | <iframe
    | <meta[^>]+http-equiv | (?:src|href|action)="(?:https?:)?//""",
    re.VERBOSE | re.IGNORECASE,
)
"""What the policy forbids or would have to be widened for, and what leads off the portal."""


async def everything(
    client: httpx.AsyncClient, whole: Running, town: Town
) -> AsyncIterator[httpx.Response]:
    """Every page in every way, then what is no page."""
    nothing = of_nothing(whole, town.held, town.who.tenant)
    for held in (town.held, nothing):
        for route in pages(whole.installation):
            for method in sorted(route.methods):
                path = held.named(route.service, route.path)
                if method != "POST":
                    yield await client.request(method, path)
                    continue
                yield await client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
                if route.path != "/sign-out":  # others go on with this session
                    yield await client.post(path, data=nothing.body(route.path))
    home = await client.get("/")
    for path in re.findall(r'(?:href|src)="(/(?:static|theme)/[^"]+)"', home.text):
        yield await client.get(path)
    for path in ("/livez", "/readyz", "/nothing", "/internal/tenants", "/static/nothing"):
        yield await client.get(path)
        yield await client.put(path)
    yield await client.get("/", headers={"Host": "nobody.localhost"})
    yield await client.get("/requests", headers={"Accept": "application/json"})


@pytest.mark.parametrize("who", ["a visitor", "a customer"])
async def test_every_answer_is_guarded(whole: Running, town: Town, who: str) -> None:
    statuses = set()
    async with whole.visitor(town.who.host) as client:
        same_browser(client, whole, town.held)
        if who == "a customer":
            signed_in(client, whole, town.who)
        async for answer in everything(client, whole, town):
            statuses.add(answer.status_code)
            where = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
            found = dict(answer.headers)
            if "content-disposition" in found:  # a file may be held more closely yet
                policy = "content-security-policy"
                found[policy] = found[policy].removesuffix("; sandbox")
            assert SECURITY.items() <= found.items(), where
            assert answer.headers.get("cache-control"), where
            assert len(answer.headers.get_list("x-request-id")) == 1, where
            if "text/html" in answer.headers.get("content-type", ""):
                assert not NOT_ALLOWED.search(answer.text), where
    assert {200, 303, 403, 404, 405, 422} <= statuses


async def test_what_is_ones_own_is_kept_by_no_cache(whole: Running, town: Town) -> None:
    async with whole.visitor(town.who.host) as client:
        same_browser(client, whole, town.held)
        signed_in(client, whole, town.who)
        for route in pages(whole.installation):
            if "GET" in route.methods:
                answer = await client.get(town.held.named(route.service, route.path))
                kept = set(answer.headers["cache-control"].split(", "))
                assert kept & {"no-store", "no-cache"}, str(route)
                assert "public" not in kept, str(route)


@pytest.mark.parametrize("part", sorted(set(SERVICES) - {"notifier", "identity"}))
async def test_a_part_that_fails_is_no_exception(
    whole: Running, town: Town, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError

    monkeypatch.setattr(whole.installation.apps[part], "middleware_stack", failing)
    path = next(one.path for one in pages(whole.installation) if one.service == part)
    async with whole.visitor(town.who.host) as client:
        answer = await client.get(town.held.named(part, path))
    assert answer.status_code == 503
    assert SECURITY.items() <= dict(answer.headers).items()
    assert "RuntimeError" not in answer.text
