"""No tenant, no person and no part gets at what is another's, on any route that there is.

The oracle: with another tenant's session one is an anonymous visitor; a foreign id is one that
does not exist; at a service, whoever has no token of the gateway's for it gets one and the same
403.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from chassis import clock
from chassis.principals import (
    ADMINISTRATOR,
    AGENT,
    ANONYMOUS,
    CUSTOMER,
    LIFETIME,
    OPERATOR,
    TOKEN_HEADER,
    Call,
    Principal,
    mint,
)
from gateway import pages as gateway_pages
from gateway.app import Gateway
from gateway.upstream import InProcess
from guichet.parts import SERVICES
from services.identity.tenants.resume_tenant import resume_tenant
from services.identity.tenants.suspend_tenant import suspend_tenant
from tests.service.conftest import Town
from tests.support.answers import Said, difference, said
from tests.support.installation import BROWSER, Running
from tests.support.people import (
    Belongings,
    Somebody,
    of_nothing,
    same_browser,
    signed_in,
    somebody,
)
from tests.support.routes import FoundRoute, all_routes, pages

pytestmark = [pytest.mark.xdist_group("every route"), pytest.mark.both_ways]

Asked = tuple[FoundRoute, str]
"""A route, and one of its methods."""

WITHIN_S = 1.0
"""How soon a tenant's suspension, or a session's end, is known everywhere: in the middle of three
times, since machines have bad moments."""


def every_call(whole: Running) -> list[Asked]:
    """Each page in each way in which it can be asked for; signing out comes last."""
    calls = [(route, method) for route in pages(whole.installation) for method in route.methods]
    return sorted(calls, key=lambda asked: (asked[0].path == "/sign-out", str(asked)))


async def ask(
    client: httpx.AsyncClient,
    asked: Asked,
    held: Belongings,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """The answer to what names these belongings, in the address and in what is posted."""
    route, method = asked
    body = held.body(route.path) if method == "POST" else None
    path = held.named(route.service, route.path)
    return await client.request(method, path, data=body, headers=headers)


def names_in(held: Belongings) -> tuple[str, ...]:
    """What an answer may echo of them."""
    by_value = (held.category, held.procedure, held.print_handle, *held.links.values())
    return (str(held.request_id), str(held.attachment_id), *by_value)


def text_of(page: tuple[int, str, str]) -> str:
    """The heading of one of the gateway's own pages, as a French reader sees it."""
    return gateway_pages.pages.catalogues.translate(page[1], "fr")


# ── Tenants and people ───────────────────────────────────────────────────────────────────────────


async def test_what_is_ones_own_is_there(whole: Running, town: Town, foreigner: Town) -> None:
    """Without this the others would prove nothing."""
    for owner in (town, foreigner):
        async with whole.visitor(owner.who.host) as client:
            signed_in(client, whole, owner.who)
            same_browser(client, whole, owner.held)
            for asked in every_call(whole):
                if asked[1] == "GET":
                    answer = await ask(client, asked, owner.held)
                    assert answer.status_code in {200, 303}, str(asked[0])
                    assert "/sign-in?" not in answer.headers.get("location", ""), str(asked[0])


async def test_another_tenants_session_is_no_session(
    whole: Running, town: Town, foreigner: Town
) -> None:
    there = replace(town.held, links=of_nothing(whole, town.held, town.who.tenant).links)
    differ: dict[str, str] = {}
    async with whole.visitor(town.who.host) as visitor, whole.visitor(town.who.host) as intruder:
        for client in (visitor, intruder):
            same_browser(client, whole, foreigner.held)
        for held in (foreigner.held, there):
            for asked in every_call(whole):
                signed_in(intruder, whole, foreigner.who)
                expected, found = [said(await ask(one, asked, held)) for one in (visitor, intruder)]
                if found != expected:
                    differ[str(asked)] = difference(expected, found)
    assert differ == {}


async def compare(
    whole: Running, who: Somebody, browser: str, theirs: Belongings, nothing: Belongings
) -> dict[str, str]:
    """Where the person can tell what is another's from what does not exist, and how."""
    differ = {}
    async with whole.visitor(who.host) as client:
        signed_in(client, whole, who)
        same_browser(client, whole, replace(theirs, browser=browser))
        for asked in every_call(whole):
            found = said(await ask(client, asked, theirs), echoed=names_in(theirs))
            expected = said(await ask(client, asked, nothing), echoed=names_in(nothing))
            if found != expected:
                differ[str(asked)] = difference(expected, found)
    return differ


async def test_another_tenants_ids_are_of_nothing(
    whole: Running, town: Town, foreigner: Town
) -> None:
    native = await somebody(whole, town.who.tenant, town.who.host)
    nothing = of_nothing(whole, foreigner.held, foreigner.who.tenant)
    assert await compare(whole, native, town.held.browser, foreigner.held, nothing) == {}


async def test_another_persons_ids_are_of_nothing(whole: Running, town: Town) -> None:
    neighbour = await somebody(whole, town.who.tenant, town.who.host)
    nothing = of_nothing(whole, town.held, town.who.tenant)
    shared = replace(nothing, category=town.held.category, procedure=town.held.procedure)
    theirs = replace(town.held, links=shared.links)  # who holds a mailed link may use it
    assert await compare(whole, neighbour, secrets.token_urlsafe(24), theirs, shared) == {}


async def test_a_role_is_asked_for(whole: Running, town: Town) -> None:
    """Who has none of a route's roles is refused alike, whether or not a thing exists."""
    helper = await somebody(whole, town.who.tenant, town.who.host, roles=(AGENT,))
    nothing = of_nothing(whole, town.held, town.who.tenant)
    async with whole.visitor(town.who.host) as client:
        signed_in(client, whole, helper)
        for asked in every_call(whole):
            [rule] = asked[0].rules
            if rule.kind != "roles" or AGENT in rule.roles:
                continue
            for held in (town.held, nothing):
                assert (await ask(client, asked, held)).status_code == 403, asked


async def test_a_session_that_ended_is_none_within_a_second(whole: Running, town: Town) -> None:
    took = []
    for _ in range(3):
        leaver = await somebody(whole, town.who.tenant, town.who.host)
        async with whole.visitor(town.who.host) as here, whole.visitor(town.who.host) as there:
            for client in (here, there):
                signed_in(client, whole, leaver)
                assert (await client.get("/requests")).status_code == 200
            answer = await here.post("/sign-out")
            assert answer.status_code == 303
            assert "Max-Age=0" in answer.headers["set-cookie"]
            took.append(await until_it_answers(there, "/requests", 303))
    assert sorted(took)[1] < WITHIN_S


async def until_it_answers(client: httpx.AsyncClient, path: str, status: int) -> float:
    """How many seconds it takes until a page answers so."""
    begun = time.perf_counter()
    async with asyncio.timeout(20):
        while (await client.get(path)).status_code != status:  # noqa: ASYNC110  # HTTP has none
            await asyncio.sleep(0.01)
    return time.perf_counter() - begun


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────


def bad_tokens(whole: Running, town: Town, service: str) -> dict[str, str | None]:
    """What is no token of the gateway's for this service, by what is wrong with it."""
    keys = whole.installation.keys
    person = Principal(
        kind="person",
        account_id=town.who.account_id,
        person_id=town.who.person_id,
        roles=frozenset({CUSTOMER, ADMINISTRATOR, OPERATOR}),
    )
    call = Call(town.who.tenant, "http-1", person)
    own, now = keys.token_key(service), clock.now()
    good = mint(own, service, call, now)
    body, _, mac = good.partition(".")
    other = next(name for name in SERVICES if name != service)
    elsewhere = mint(own, service, Call(town.who.account_id, "http-1", person), now)
    return {
        "missing": None,
        "empty": "",
        "words": "let me in",
        "not ASCII": "jeton-é",
        "half of it": body,
        "unsigned": f"{body}.",
        "signed with another key": mint(secrets.token_bytes(32), service, call, now),
        "another's body": f"{elsewhere.partition('.')[0]}.{mac}",
        "another's signature": f"{body}.{elsewhere.partition('.')[2]}",
        "cut": good[:-2],
        "too old": mint(own, service, call, now - LIFETIME - timedelta(seconds=1)),
        "another part's": mint(keys.token_key(other), other, call, now),
        "another part's by this one": mint(own, other, call, now),
        "forged by another part": mint(keys.token_key(other), service, call, now),
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_answers_the_gateways_tokens_alone(
    whole: Running, town: Town, service: str
) -> None:
    routes = [route for route in all_routes(whole.installation) if route.service == service]
    calls = {(route.path, method) for route in routes for method in route.methods}
    answers: dict[str, Said] = {}
    async with httpx.AsyncClient(
        transport=whole.straight_to(service),
        base_url=f"http://{town.who.host}",
        headers=BROWSER,
    ) as client:
        for path, method in (*calls, ("/nothing-of-the-kind", "GET"), ("/", "DELETE")):
            for wrong, token in bad_tokens(whole, town, service).items():
                headers = [] if token is None else [(TOKEN_HEADER.encode(), token.encode())]
                answer = await client.request(method, path, headers=headers)
                if method != "HEAD":
                    answers[f"{method} {path}: {wrong}"] = said(answer)
                assert answer.status_code == 403, (method, path, wrong)
        good = mint(
            whole.installation.keys.token_key(service),
            service,
            Call(town.who.tenant, "http-1", ANONYMOUS),
            clock.now(),
        )
        answer = await client.get("/nothing-of-the-kind", headers={TOKEN_HEADER: good})
        assert answer.status_code == 404
    assert len({repr(one) for one in answers.values()}) == 1


async def test_what_parts_ask_each_other_is_nothing_to_people(whole: Running, town: Town) -> None:
    person = Principal(
        kind="person",
        account_id=town.who.account_id,
        person_id=town.who.person_id,
        roles=frozenset({CUSTOMER, AGENT, ADMINISTRATOR, OPERATOR}),
    )
    internal = [route for route in all_routes(whole.installation) if not route.is_page]
    assert internal
    for route in internal:
        async with httpx.AsyncClient(
            transport=whole.straight_to(route.service), base_url="http://internal"
        ) as client:
            for who in (ANONYMOUS, person):
                token = mint(
                    whole.installation.keys.token_key(route.service),
                    route.service,
                    Call(town.who.tenant, "http-1", who),
                    clock.now(),
                )
                client.headers[TOKEN_HEADER] = token
                for method in route.methods:
                    body: object = {} if method == "POST" else None
                    answer = await client.request(method, route.path, json=body)
                    unknown = await client.request(method, "/internal/nothing", json=body)
                    assert said(answer) == said(unknown)
                    assert answer.status_code == 404


async def test_what_a_client_says_of_itself_has_no_effect(
    whole: Running, town: Town, foreigner: Town
) -> None:
    held = replace(town.held, links=of_nothing(whole, town.held, town.who.tenant).links)
    differ: dict[str, str] = {}
    async with whole.visitor(town.who.host) as plain, whole.visitor(town.who.host) as boastful:
        for client in (plain, boastful):
            same_browser(client, whole, foreigner.held)
        for asked in every_call(whole):
            claims = boasts(whole, town, foreigner, asked[0].service)
            expected = said(await ask(plain, asked, held))
            found = said(await ask(boastful, asked, held, claims))
            if found != expected:
                differ[str(asked)] = difference(expected, found)
    assert differ == {}


def boasts(whole: Running, town: Town, foreigner: Town, service: str) -> dict[str, str]:
    """Headers by which a client would have a service believe what it likes; the token is good."""
    principal = Principal(
        kind="person",
        account_id=town.who.account_id,
        person_id=town.who.person_id,
        session_id=town.who.session_id,
        roles=frozenset({CUSTOMER, ADMINISTRATOR, OPERATOR}),
    )
    key = whole.installation.keys.token_key(service)
    token = mint(key, service, Call(town.who.tenant, "http-1", principal), clock.now())
    return {
        TOKEN_HEADER: token,
        "X-Guichet-Principal": str(town.who.person_id),
        "X-Guichet-Tenant": str(foreigner.who.tenant),
        "X-Forwarded-Host": foreigner.who.host,
        "X-Forwarded-For": "127.0.0.1",
        "Forwarded": f"host={foreigner.who.host}",
    }


# ── Sites ────────────────────────────────────────────────────────────────────────────────────────


async def test_what_another_site_sends_is_refused(whole: Running, town: Town) -> None:
    own = whole.installation.settings.tenant_origin(town.who.host)
    cross = {
        "cross-site": {"Sec-Fetch-Site": "cross-site"},
        "same-site": {"Sec-Fetch-Site": "same-site"},
        "cross-site, whatever its origin": {"Sec-Fetch-Site": "cross-site", "Origin": own},
        "an unknown word": {"Sec-Fetch-Site": "somewhere"},
        "another origin": {"Origin": "https://elsewhere.example"},
        "another tenant's origin": {"Origin": own.replace("ypok", "amont")},
        "an origin that begins as ours": {"Origin": f"{own}.elsewhere.example"},
        "no origin to tell": {"Origin": "null"},
        "neither": {},
    }
    passing = {
        "same-origin": {"Sec-Fetch-Site": "same-origin"},
        "typed in": {"Sec-Fetch-Site": "none"},
        "our own origin": {"Origin": own},
    }
    refusal = text_of(gateway_pages.CROSS_SITE)
    held = of_nothing(whole, town.held, town.who.tenant)
    async with whole.visitor(town.who.host) as client:
        del client.headers["Sec-Fetch-Site"]
        signed_in(client, whole, town.who)
        for asked in every_call(whole):
            if asked[1] != "POST":
                continue
            answers = {
                said(await ask(client, asked, held, headers))[2] for headers in cross.values()
            }
            assert len(answers) == 1, asked
            assert all(refusal in one for one in answers), asked
            if asked[0].path == "/sign-out":  # would end the session; tried where it may
                continue
            for how, headers in passing.items():
                answer = await ask(client, asked, held, headers)
                assert answer.status_code != 403 or refusal not in answer.text, (asked, how)


async def test_reading_is_no_matter_of_sites(whole: Running, town: Town) -> None:
    async with whole.visitor(town.who.host) as client:
        answer = await client.get("/", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 200


# ── Hosts ────────────────────────────────────────────────────────────────────────────────────────


async def test_an_unknown_host_has_one_neutral_page(whole: Running, town: Town) -> None:
    hosts = ("nobody.localhost", "ypok.localhost.example", "localhost", "127.0.0.1")
    answers: dict[str, str] = {}
    for host in hosts:
        async with whole.visitor(host) as client:
            signed_in(client, whole, town.who)
            for asked in every_call(whole):
                answer = await ask(client, asked, town.held)
                assert answer.status_code == 404
                if asked[1] != "HEAD":
                    answers[repr(said(answer))] = host
    assert len(answers) == 1
    [page] = answers
    assert text_of(gateway_pages.UNKNOWN_HOST) in page
    assert not any(word in page for word in ("YPOK", "ypok", "YService", "set-cookie"))


async def test_a_suspended_portal_closes_and_opens_within_a_second(
    whole: Running, town: Town, foreigner: Town
) -> None:
    database = whole.installation.runtimes["identity"].database
    closing, opening = [], []
    async with whole.visitor(foreigner.who.host) as client, whole.visitor(town.who.host) as other:
        signed_in(client, whole, foreigner.who)
        for _ in range(3):
            try:
                async with database.begin(foreigner.who.tenant) as work:
                    await suspend_tenant(work)
                closing.append(await until_it_answers(client, "/", 503))
                for asked in every_call(whole):
                    answer = await ask(client, asked, foreigner.held)
                    assert answer.status_code == 503
                    assert int(answer.headers["retry-after"]) > 0
                    if asked[1] != "HEAD":
                        assert text_of(gateway_pages.SUSPENDED) in answer.text
                assert (await other.get("/")).status_code == 200
            finally:
                async with database.begin(foreigner.who.tenant) as work:
                    await resume_tenant(work)
            opening.append(await until_it_answers(client, "/", 200))
            assert (await client.get("/requests")).status_code == 200
    assert max(sorted(closing)[1], sorted(opening)[1]) < WITHIN_S


async def test_before_the_first_snapshot_nothing_is_unknown(whole: Running, town: Town) -> None:
    installation = whole.installation
    early = Gateway(installation.settings, installation.keys, InProcess(installation.apps))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(early), base_url=f"http://{town.who.host}", headers=BROWSER
    ) as client:
        for asked in every_call(whole):
            answer = await ask(client, asked, town.held)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        await early.load()
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/")).status_code == 200
