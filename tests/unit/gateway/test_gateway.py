"""The gateway before parts of the tests' own: what it hands them, and when it does not."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from chassis import clock
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import TOKEN_HEADER, Call, verify
from chassis.settings import Settings
from contracts.event import sealed
from contracts.identity import SessionRevoked
from gateway.app import Gateway
from gateway.guards import LARGEST_BODY
from gateway.headers import SECURITY, STRICT_TRANSPORT
from gateway.sessions import Sessions
from gateway.upstream import AnswerCut, InProcess, PartAway
from tests.builders.catalog import a_tenant
from tests.unit.gateway.test_sessions import an_answer

TENANT = a_tenant()
HOST = TENANT.host
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Parts:
    """Stands in for the parts: remembers what it was handed, answers what it was told to."""

    keys: Keys
    session: dict[str, Any] | None = None
    away: set[str] = field(default_factory=set)
    scopes: list[tuple[str, Scope]] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    meanwhile: list[Any] = field(default_factory=list)
    breaks_off: bool = False

    async def forward(self, part: str, scope: Scope, receive: Receive, send: Send) -> None:
        """As an upstream."""
        if part in self.away:
            raise PartAway(part)
        if scope["path"].startswith("/internal"):
            message = await receive()
            await self._answer(scope["path"], message["body"], send)
            return
        self.scopes.append((part, scope))
        await _send(send, 200, b"hello", (b"content-type", b"text/plain"), begun=self.breaks_off)
        if self.breaks_off:
            raise AnswerCut(part)

    async def _answer(self, path: str, body: bytes, send: Send) -> None:
        asked = json.loads(body) if body else None
        self.asked.append((path, asked))
        for one in self.meanwhile:
            await one()
        told = {**TENANT.model_dump(mode="json"), "version": 1, "epoch": 1}
        answer: object = None
        if path == "/internal/tenants":
            answer = {"tenants": [told]}
        elif path == "/internal/sessions/look-up":
            answer = self.session
        await _send(send, 404 if answer is None else 200, json.dumps(answer).encode())

    def call(self) -> Call:
        """What the last token says."""
        part, scope = self.scopes[-1]
        tokens = [v for n, v in scope["headers"] if n == TOKEN_HEADER.encode()]
        assert len(tokens) == 1
        return verify(self.keys.token_key(part), part, tokens[0].decode(), clock.now())

    def headers(self) -> dict[str, str]:
        """What the last part was handed."""
        return {n.decode(): v.decode("latin-1") for n, v in self.scopes[-1][1]["headers"]}


async def _send(
    send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes], begun: bool = False
) -> None:
    start: Message = {"type": "http.response.start", "status": status, "headers": [*headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": begun})


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(Keys(tmp_path / "keys"))


@pytest.fixture
async def gateway(parts: Parts) -> Gateway:
    gateway = Gateway(Settings(guarded_posts_a_minute=0), parts.keys, parts)
    await gateway.load()
    return gateway


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(gateway) as one:
        yield one


def browser(gateway: Gateway, scheme: str = "http") -> httpx.AsyncClient:
    """Somebody at the tenant's host."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway), base_url=f"{scheme}://{HOST}", headers=SAME_ORIGIN
    )


async def test_a_part_is_handed_the_path_as_it_came(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    await client.get("/procedures/a%2Fb?x=1&x=%20")
    part, scope = parts.scopes[-1]
    assert part == "requests"
    assert (scope["path"], scope["query_string"]) == ("/procedures/a/b", b"x=1&x=%20")


async def test_a_part_is_told_whose_portal_it_is_and_who_acts(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.session = an_answer(roles=["customer", "manager"])
    client.cookies.set("guichet", "cookie")
    answer = await client.get("/")
    call = parts.call()
    assert call.tenant == TENANT.tenant_id
    assert call.http_id == answer.headers["x-request-id"]
    assert call.principal.roles == {"customer", "manager"}
    assert str(call.principal.session_id) == parts.session["session_id"]


async def test_a_visitor_is_nobody(client: httpx.AsyncClient, parts: Parts) -> None:
    client.cookies.set("guichet", "an ended session's")
    await client.get("/")
    principal = parts.call().principal
    assert (principal.kind, principal.signed_in, principal.browser) == ("anonymous", False, "")


async def test_no_cookie_and_no_internal_header_reaches_a_part(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    client.cookies.set("guichet", "cookie")
    await client.get(
        "/",
        headers={
            "X-Guichet-Token": "mine",
            "X-Guichet-Else": "mine",
            "Traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
            "X-Forwarded-Host": "elsewhere",
            "Accept-Language": "fr",
        },
    )
    handed = parts.headers()
    assert "mine" not in handed.values()
    assert not {"cookie", "x-guichet-else", "x-forwarded-host"} & set(handed)
    assert "1" * 32 not in handed["traceparent"]
    assert handed["accept-language"] == "fr"


async def test_a_session_is_looked_up_once_a_minute(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.session = an_answer()
    client.cookies.set("guichet", "cookie")
    for _ in range(3):
        await client.get("/requests")
    assert parts.asked[1:] == [("/internal/sessions/look-up", {"session": "cookie"})]


async def test_what_was_revoked_while_it_was_looked_up_is_no_session(
    gateway: Gateway, client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.session = an_answer()
    event = SessionRevoked(
        scope="session", scope_id=parts.session["session_id"], revoked_at=clock.now()
    )
    envelope = sealed(
        event,
        id=new_id(),
        tenant=TENANT.tenant_id,
        time=clock.now(),
        version=1,
        epoch=1,
        traceparent=None,
    )
    parts.meanwhile = [lambda: gateway.sessions.hear(envelope)]
    client.cookies.set("guichet", "cookie")
    await client.get("/requests")
    assert not parts.call().principal.signed_in
    assert gateway.sessions.fresh(TENANT.tenant_id, "cookie") is None


async def test_a_known_session_serves_while_identity_is_away(
    client: httpx.AsyncClient, gateway: Gateway, parts: Parts
) -> None:
    parts.session = an_answer()
    gateway.sessions = Sessions(fresh_s=-1.0)
    client.cookies.set("guichet", "cookie")
    await client.get("/requests")
    parts.away.add("identity")
    await client.get("/requests")
    assert parts.call().principal.signed_in
    gateway.sessions.lost()  # and what is ended is not heard of
    await client.get("/requests")
    assert not parts.call().principal.signed_in


@pytest.mark.parametrize(
    "header",
    [
        "guichet=cookie",
        "theme=dark; guichet=cookie",
        'prefs={"a":1, "b":[2]}; guichet=cookie; _ga=GA1.2.3',
        "a[b]=c; guichet=cookie",
        "lonely; guichet=cookie",
        "=; guichet=cookie",
        "é=ü; guichet=cookie",
    ],
)
async def test_other_cookies_are_in_nobodys_way(
    client: httpx.AsyncClient, parts: Parts, header: str
) -> None:
    parts.session = an_answer()
    await client.get("/requests", headers=[(b"Cookie", header.encode())])
    assert parts.call().principal.signed_in


async def test_who_registers_is_told_apart_by_a_cookie(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    answer = await client.get("/register")
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("guichet-browser=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
    first = parts.call().principal.browser
    seal = f"{TENANT.tenant_id} {client.cookies['guichet-browser']}".encode()
    assert first == hashlib.sha256(seal).hexdigest()[:32]
    answer = await client.post("/register")
    assert "set-cookie" not in answer.headers
    assert parts.call().principal.browser == first
    await client.get("/")
    assert parts.call().principal.browser == first


async def test_over_https_cookies_are_the_hosts_alone(parts: Parts) -> None:
    gateway = Gateway(
        Settings(public_scheme="https", public_port=443, guarded_posts_a_minute=0),
        parts.keys,
        parts,
    )
    await gateway.load()
    parts.session = an_answer()
    async with browser(gateway, "https") as client:
        answer = await client.get("/register")
        assert answer.headers["strict-transport-security"] == STRICT_TRANSPORT
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-guichet-browser=")
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
        await client.get("/", headers={"Cookie": "guichet=cookie"})
        assert not parts.call().principal.signed_in
        await client.get("/", headers={"Cookie": "__Host-guichet=cookie"})
        assert parts.call().principal.signed_in


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PUT", "/requests", SAME_ORIGIN, 405),
        ("DELETE", "/", SAME_ORIGIN, 405),
        ("OPTIONS", "/", SAME_ORIGIN, 405),
        ("POST", "/sign-in", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", "/sign-in", {**SAME_ORIGIN, "Content-Length": str(LARGEST_BODY + 1)}, 413),
        ("POST", "/sign-in", {**SAME_ORIGIN, "Content-Length": "9" * 5000}, 413),
        ("POST", "/sign-in", {**SAME_ORIGIN, "Content-Length": "many"}, 411),
        ("POST", "/sign-in", {**SAME_ORIGIN, "Transfer-Encoding": "chunked"}, 411),
        ("POST", "/internal/tenants", SAME_ORIGIN, 404),
        ("GET", "/nothing", SAME_ORIGIN, 404),
    ],
)
async def test_what_no_part_ever_sees(
    client: httpx.AsyncClient,
    parts: Parts,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
) -> None:
    request = client.build_request(method, path, headers=headers)
    if "Transfer-Encoding" in headers:
        request.headers.pop("Content-Length", None)
    answer = await client.send(request)
    assert answer.status_code == status
    assert parts.scopes == []
    assert SECURITY.items() <= dict(answer.headers).items()


async def test_a_flood_is_told_when_to_come_back(parts: Parts) -> None:
    gateway = Gateway(Settings(guarded_posts_a_minute=2), parts.keys, parts)
    await gateway.load()
    async with browser(gateway) as client:
        statuses = [(await client.post("/sign-in")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        answer = await client.post("/sign-in")
        assert 1 <= int(answer.headers["retry-after"]) <= 31
        assert (await client.get("/")).status_code == 200


async def test_a_part_that_is_away_is_said_to_be(client: httpx.AsyncClient, parts: Parts) -> None:
    parts.away.add("requests")
    answer = await client.get("/requests")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "6")
    assert SECURITY.items() <= dict(answer.headers).items()
    assert (await client.get("/")).status_code == 200


async def test_an_answer_that_breaks_off_is_not_begun_again(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.breaks_off = True
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await client._transport.app(_a_scope("/requests"), _nothing, keep)  # type: ignore[attr-defined]  # httpx's ASGITransport has it
    assert [one["type"] for one in messages] == ["http.response.start", "http.response.body"]
    assert messages[0]["status"] == 200


async def test_an_unknown_host_is_asked_of_identity_once(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    for _ in range(3):
        answer = await client.get("/", headers={"Host": "nobody.localhost"})
        assert answer.status_code == 404
    assert parts.asked[1:] == [("/internal/tenants/by-host", {"host": "nobody.localhost"})]


# ── Parts in the same process ────────────────────────────────────────────────────────────────────


async def test_a_part_that_fails_before_it_answers_is_away() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError

    with pytest.raises(PartAway):
        await InProcess({"catalog": app}).forward("catalog", _a_scope("/"), _nothing, _dropped)


async def test_a_part_that_fails_in_its_answer_is_told_of() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    with pytest.raises(AnswerCut):
        await InProcess({"catalog": app}).forward("catalog", _a_scope("/"), _nothing, _dropped)


async def test_who_goes_away_ends_the_parts_work() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    upstream = InProcess({"catalog": app})
    call = asyncio.create_task(upstream.forward("catalog", _a_scope("/"), _nothing, _dropped))
    await begun.wait()
    call.cancel()
    async with asyncio.timeout(2):
        await ended.wait()


def _a_scope(path: str) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", HOST.encode())],
        "client": ("127.0.0.1", 1),
    }


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _dropped(_message: Message) -> None:
    pass
