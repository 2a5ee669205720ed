"""The gateway itself, an ASGI app: guards, then tenant, then principal, then the part.

What a part is handed: the path as it came, the client's headers without the internal ones, and a
token that names tenant, HTTP request and principal.
"""

import hashlib
import secrets
import time
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from chassis import clock, telemetry
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import ANONYMOUS, TOKEN_HEADER, Call, Principal, mint
from chassis.sessions import browser_cookie_name, session_cookie_name
from chassis.settings import Settings
from chassis.subscriptions import Broadcast
from chassis.tenants import PLATFORM
from chassis.web import gallery
from chassis.web.assets import static_response, theme_response
from contracts.identity import TenantChanged
from gateway import choices, pages
from gateway.choices import Choices
from gateway.guards import (
    METHODS,
    SAFE_METHODS,
    Throttle,
    body_length,
    host_name,
    is_cross_site,
    largest_body,
)
from gateway.headers import inward, outward
from gateway.routing import part_of
from gateway.sessions import Sessions
from gateway.tenants import TenantsByHost
from gateway.upstream import PartAway, Upstream, ask

log = structlog.get_logger()

GATEWAY = Principal(kind="part", part="gateway")
PARTS = ("identity", "catalog", "requests", "notifier")


class Gateway:
    """One gateway in one process. Several may run: each keeps its own caches current."""

    def __init__(self, settings: Settings, keys: Keys, upstream: Upstream) -> None:
        self._settings = settings
        self._token_keys = {part: keys.token_key(part) for part in PARTS}
        self._upstream = upstream
        self._choices = Choices(settings)
        self._throttle = Throttle(settings.guarded_posts_a_minute)
        self.tenants = TenantsByHost(settings.default_tenant)
        self.sessions = Sessions()

    def broadcasts(self) -> tuple[Broadcast, ...]:
        """What its caches listen to; to be subscribed before `load`."""
        return (self.tenants.broadcasts(), self.sessions.broadcasts())

    async def load(self) -> None:
        """The snapshot of tenants. Raises PartAway."""
        call = Call(PLATFORM, str(new_id()), GATEWAY)
        status, body = await self._ask_identity(call, "GET", "/internal/tenants")
        if status != 200:
            raise PartAway("identity")
        self.tenants.load(body["tenants"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        http_id = str(new_id())
        with (
            structlog.contextvars.bound_contextvars(http_id=http_id),
            telemetry.span("gateway", kind=SpanKind.SERVER) as span,
        ):
            started = time.perf_counter()
            status = 0

            async def sending(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    headers = outward(
                        list(message["headers"]), https=self._settings.public_scheme == "https"
                    )
                    headers.append((b"x-request-id", http_id.encode()))
                    message = {**message, "headers": headers}
                await send(message)

            await self._answer(scope, receive, sending, http_id)
            span.set_attribute("http.status_code", status)
            log.debug("gateway_served", status=status, ms=_ms_since(started))

    async def _answer(self, scope: Scope, receive: Receive, send: Send, http_id: str) -> None:
        path, method = scope["path"], scope["method"]
        headers = _headers(scope)
        own = self._own_page(path, headers) if method in SAFE_METHODS else None
        if own is not None:
            await own(scope, receive, send)
            return
        if not self.tenants.loaded:
            await self._page(pages.NOT_READY, scope, receive, send, retry_s=2)
            return
        tenant = await self._tenant_at(host_name(headers.get("host", "")), http_id)
        if tenant is None:
            await self._page(pages.UNKNOWN_HOST, scope, receive, send)
            return
        structlog.contextvars.bind_contextvars(tenant=str(tenant.tenant_id))
        if path.startswith("/theme/"):
            theme = theme_response(
                tenant.slug,
                tenant.brand.colour,
                path.removeprefix("/theme/"),
                headers.get("accept-encoding", ""),
            )
            await theme(scope, receive, send)
            return
        refusal = self._refused(scope, headers, tenant)
        if refusal is not None:
            kind, retry_s = refusal
            await self._page(kind, scope, receive, send, tenant, retry_s=retry_s)
            return
        if path in choices.PATHS:
            await self._choose(scope, receive, send, tenant)
            return
        part = part_of(path)
        if part is None:
            session = await self._session(_cookies(headers.get("cookie", "")), tenant, http_id)
            kind = pages.GALLERY if self._shows_gallery(path) else pages.NO_PAGE
            await self._page(kind, scope, receive, send, tenant, session or ANONYMOUS)
            return
        await self._forward(part, scope, receive, send, headers, tenant, http_id)

    def _shows_gallery(self, path: str) -> bool:
        return path == gallery.PATH and self._settings.gallery

    def _refused(
        self, scope: Scope, headers: dict[str, str], tenant: TenantChanged
    ) -> tuple[pages.Kind, float | None] | None:
        """Which guard refuses this request, and after how long to try again."""
        if tenant.state == "suspended":
            return pages.SUSPENDED, 3600
        if scope["method"] not in METHODS:
            return pages.NO_METHOD, None
        if scope["method"] in SAFE_METHODS:
            return None
        if is_cross_site(headers, self._origins(tenant)):
            return pages.CROSS_SITE, None
        length = body_length(headers.get("content-length", ""))
        if length is None:
            return pages.NO_LENGTH, None
        if length > largest_body(scope["path"]):
            return pages.TOO_LARGE, None
        wait_s = self._throttle.wait_s(scope["client"][0] if scope["client"] else "")
        return (pages.TOO_MANY, wait_s) if wait_s else None

    async def _choose(
        self, scope: Scope, receive: Receive, send: Send, tenant: TenantChanged
    ) -> None:
        """A form of the reader's choices; it needs to know nobody."""
        headers = _headers(scope)
        if scope["method"] in SAFE_METHODS:
            await self._page(pages.NO_METHOD, scope, receive, send, tenant)
        elif (body_length(headers.get("content-length", "")) or 0) > choices.LARGEST_CHOICE:
            await self._page(pages.TOO_LARGE, scope, receive, send, tenant)
        else:
            try:
                answer = await self._choices.answer(scope, receive, tenant)
            except ClientDisconnect:
                return
            if answer is None:
                await self._page(pages.NO_CHOICE, scope, receive, send, tenant)
            else:
                await answer(scope, receive, send)

    async def _forward(
        self,
        part: str,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[str, str],
        tenant: TenantChanged,
        http_id: str,
    ) -> None:
        cookies = _cookies(headers.get("cookie", ""))
        principal, browser_cookie = await self._principal(cookies, scope["path"], tenant, http_id)
        token = mint(
            self._token_keys[part],
            part,
            Call(
                tenant.tenant_id,
                http_id,
                principal,
                language=self._choices.language(tenant, headers, cookies, principal),
                theme=self._choices.theme(cookies),
            ),
            clock.now(),
        )
        given = [
            *inward(list(scope["headers"])),
            (TOKEN_HEADER.encode(), token.encode()),
            (b"traceparent", (telemetry.traceparent() or "").encode()),
        ]
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start" and browser_cookie:
                set_cookie = (b"set-cookie", browser_cookie.encode())
                message = {**message, "headers": [*message["headers"], set_cookie]}
            await send(message)

        try:
            await self._upstream.forward(part, {**scope, "headers": given}, receive, sending)
        except PartAway:
            log.warning("part_away", part=part)
            if not begun:
                await self._page(pages.AWAY, scope, receive, send, tenant, principal, retry_s=5)

    async def _principal(
        self, cookies: dict[str, str], path: str, tenant: TenantChanged, http_id: str
    ) -> tuple[Principal, str | None]:
        """Who acts, and the cookie to set where this browser is to be told apart."""
        name = browser_cookie_name(self._settings)
        browser = cookies.get(name, "")
        fresh: str | None = None
        if not browser and path.startswith("/register"):
            browser = secrets.token_urlsafe(24)
            secure = "; Secure" if self._settings.public_scheme == "https" else ""
            fresh = f"{name}={browser}; Path=/; HttpOnly; SameSite=Lax{secure}"
        seal = f"{tenant.tenant_id} {browser}".encode()
        browser_hash = hashlib.sha256(seal).hexdigest()[:32] if browser else ""
        known = await self._session(cookies, tenant, http_id) or ANONYMOUS
        facts = {**known.__dict__, "browser": browser_hash}
        return Principal(**facts), fresh

    async def _session(
        self, cookies: dict[str, str], tenant: TenantChanged, http_id: str
    ) -> Principal | None:
        cookie = cookies.get(session_cookie_name(self._settings))
        if not cookie or len(cookie) > 256:
            return None
        principal = self.sessions.fresh(tenant.tenant_id, cookie)
        if principal is not None:
            return principal
        asked_at = time.monotonic()
        call = Call(tenant.tenant_id, http_id, GATEWAY)
        try:
            status, answer = await self._ask_identity(
                call, "POST", "/internal/sessions/look-up", {"session": cookie}
            )
        except PartAway:
            return self.sessions.stale(tenant.tenant_id, cookie)
        if status != 200:
            return None
        return self.sessions.keep(tenant.tenant_id, cookie, answer, asked_at)

    async def _tenant_at(self, host: str, http_id: str) -> TenantChanged | None:
        tenant = self.tenants.at(host)
        if tenant is not None or not host or not self.tenants.worth_asking(host):
            return tenant
        self.tenants.note_unknown(host)
        try:
            status, answer = await self._ask_identity(
                Call(PLATFORM, http_id, GATEWAY),
                "POST",
                "/internal/tenants/by-host",
                {"host": host},
            )
        except PartAway:
            return None
        if status == 200:
            self.tenants.load([answer])
        return self.tenants.at(host)

    async def _ask_identity(
        self, call: Call, method: str, path: str, body: object = None
    ) -> tuple[int, Any]:
        token = mint(self._token_keys["identity"], "identity", call, clock.now())
        headers = [
            (TOKEN_HEADER.encode(), token.encode()),
            (b"traceparent", (telemetry.traceparent() or "").encode()),
        ]
        return await ask(self._upstream, "identity", method, path, headers, body)

    def _own_page(self, path: str, headers: dict[str, str]) -> Response | None:
        if path == "/livez":
            return JSONResponse({"live": True})
        if path == "/readyz":
            ready = self.tenants.loaded
            return JSONResponse({"ready": ready, "tenants": ready}, 200 if ready else 503)
        if path.startswith("/static/"):
            return static_response(
                path.removeprefix("/static/"), headers.get("accept-encoding", "")
            )
        return None

    def _origins(self, tenant: TenantChanged) -> frozenset[str]:
        own = self._settings.tenant_origin(tenant.host)
        return frozenset({own, tenant.origin or own})

    async def _page(
        self,
        kind: pages.Kind,
        scope: Scope,
        receive: Receive,
        send: Send,
        tenant: TenantChanged | None = None,
        principal: Principal = ANONYMOUS,
        *,
        retry_s: float | None = None,
    ) -> None:
        headers = _headers(scope)
        cookies = _cookies(headers.get("cookie", ""))
        page = pages.answer(
            kind,
            scope,
            tenant,
            principal,
            language=self._choices.language(tenant, headers, cookies, principal),
            theme=self._choices.theme(cookies),
            retry_s=retry_s,
        )
        await page(scope, receive, send)


def _headers(scope: Scope) -> dict[str, str]:
    return {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}


def _cookies(header: str) -> dict[str, str]:
    """By name. Not by `http.cookies`, which drops all of them for one that it can't read."""
    return cookie_parser(header)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return
