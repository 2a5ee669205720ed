"""The gateway itself, an ASGI app: guards, then tenant, then principal, then the part.

What a part is handed: the path as it came, the client's headers without the internal ones, and a
token that names tenant, HTTP request and principal.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from chassis import clock, metrics, telemetry
from chassis.access import is_operator
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import ANONYMOUS, TOKEN_HEADER, Call, Principal, mint
from chassis.sessions import browser_cookie_name, session_cookie_name
from chassis.settings import Settings
from chassis.subscriptions import Broadcast
from chassis.tenants import PLATFORM
from chassis.web import gallery, links
from chassis.web.assets import static_response, theme_response
from chassis.web.pages import see_other_path
from contracts.identity import TenantChanged
from gateway import choices, pages
from gateway.choices import AUTO, Beside, Choices, NotOffered
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
from gateway.ops import pages as operations
from gateway.ops.asking import Asking
from gateway.routing import part_of, prefix_of
from gateway.sessions import Sessions
from gateway.tenants import TenantsByHost
from gateway.upstream import AnswerCut, PartAway, Upstream, ask

log = structlog.get_logger()

GATEWAY = Principal(kind="part", part="gateway")
PARTS = ("identity", "catalog", "requests", "notifier")


class Gateway:
    """One gateway in one process. Several may run: each keeps its own caches current."""

    def __init__(
        self, settings: Settings, keys: Keys, upstream: Upstream, *, pageless: Sequence[str] = ()
    ) -> None:
        """`pageless` names parts that answer nothing but how they are, which operators see."""
        self._settings = settings
        self._token_keys = {part: keys.token_key(part) for part in PARTS}
        self._upstream = upstream
        self._pageless = tuple(pageless)
        self._choices = Choices(settings)
        self._throttle = Throttle(settings.guarded_posts_a_minute)
        self.tenants = TenantsByHost(settings.default_tenant, settings.session_fresh_s)
        self.sessions = Sessions(settings.session_fresh_s)
        self.health: dict[str, Callable[[], str | None]] = {}
        """By name what it stands on beside the parts, as a service's: see `Runtime.health`."""

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
            took_s = time.perf_counter() - started
            prefix = prefix_of(scope["path"])
            metrics.count_call("gateway", scope["method"], prefix, status, took_s)
            log.debug("gateway_served", status=status, ms=round(took_s * 1000, 1))

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
        if tenant.tenant_id == PLATFORM and operations.is_here(path):
            await self._operate(scope, receive, send, tenant, http_id)
            return
        part = part_of(path)
        if part is None:
            session = await self._session(_cookies(headers.get("cookie", "")), tenant, http_id)
            kind = pages.GALLERY if self._shows_gallery(path) else pages.NO_PAGE
            await self._page(kind, scope, receive, send, tenant, session or ANONYMOUS)
            return
        try:
            chosen = self._choices.beside(scope, tenant)
        except NotOffered:
            await self._page(pages.NO_CHOICE, scope, receive, send, tenant)
            return
        await self._forward(part, scope, receive, send, headers, tenant, http_id, chosen)

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
        chosen: Beside,
    ) -> None:
        cookies = _cookies(headers.get("cookie", ""))
        principal, browser_cookie = await self._principal(cookies, scope, tenant, http_id)
        token = mint(
            self._token_keys[part],
            part,
            Call(
                tenant.tenant_id,
                http_id,
                principal,
                language=chosen.language
                or self._choices.language(tenant, headers, cookies, principal),
                theme=chosen.theme.removeprefix(AUTO)
                if chosen.theme
                else self._choices.theme(cookies),
            ),
            clock.now(),
        )
        kept = self._choices.cookies_for(chosen)
        if browser_cookie:
            kept.append((b"set-cookie", browser_cookie.encode()))
        given = [
            *inward(list(scope["headers"])),
            (TOKEN_HEADER.encode(), token.encode()),
            (b"traceparent", (telemetry.traceparent() or "").encode()),
        ]
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start" and kept:
                message = {**message, "headers": [*message["headers"], *kept]}
            await send(message)

        try:
            await self._upstream.forward(part, {**scope, "headers": given}, receive, sending)
        except PartAway:
            log.warning("part_away", part=part)
            if not begun:
                await self._page(pages.AWAY, scope, receive, send, tenant, principal, retry_s=5)
        except AnswerCut:  # the server breaks off the connection of what is not whole
            log.warning("answer_cut", part=part)

    async def _principal(
        self, cookies: dict[str, str], scope: Scope, tenant: TenantChanged, http_id: str
    ) -> tuple[Principal, str | None]:
        """Who acts, and the cookie to set where this browser is to be told apart."""
        name = browser_cookie_name(self._settings)
        browser = cookies.get(name, "")
        fresh: str | None = None
        known = await self._session(cookies, tenant, http_id) or ANONYMOUS
        if not browser and _is_told_apart(scope, known):
            browser = secrets.token_urlsafe(24)
            secure = "; Secure" if self._settings.public_scheme == "https" else ""
            fresh = f"{name}={browser}; Path=/; HttpOnly; SameSite=Lax{secure}"
        seal = f"{tenant.tenant_id} {browser}".encode()
        browser_hash = hashlib.sha256(seal).hexdigest()[:32] if browser else ""
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

    async def _operate(
        self, scope: Scope, receive: Receive, send: Send, tenant: TenantChanged, http_id: str
    ) -> None:
        """Operators' pages; to anybody else who is signed in there are none."""
        headers = _headers(scope)
        cookies = _cookies(headers.get("cookie", ""))
        session = await self._session(cookies, tenant, http_id)
        answer: Response | None = None
        if session is None:
            answer = see_other_path(links.sign_in(next=operations.PATH, why="page"))
        elif is_operator(session, tenant.tenant_id):
            http = pages.reading(
                scope,
                tenant,
                session,
                language=self._choices.language(tenant, headers, cookies, session),
                theme=self._choices.theme(cookies),
            )
            call = Call(tenant.tenant_id, http_id, session)

            def token(part: str) -> str:
                return mint(self._token_keys[part], part, call, clock.now())

            asking = Asking(self._upstream, token, telemetry.traceparent() or "")
            answer = await operations.answer(
                http, asking, operations.Asked(PARTS, self._pageless), self.tenants.name
            )
        if answer is None:
            await self._page(pages.NO_PAGE, scope, receive, send, tenant, session or ANONYMOUS)
        else:
            await answer(scope, receive, send)

    def _own_page(self, path: str, headers: dict[str, str]) -> Response | None:
        if path == "/livez":
            return JSONResponse({"live": True})
        if path == "/readyz":
            return self._readiness()
        if path.startswith("/static/"):
            return static_response(
                path.removeprefix("/static/"), headers.get("accept-encoding", "")
            )
        return None

    def _readiness(self) -> JSONResponse:
        ready = self.tenants.loaded
        causes = {name: check() for name, check in self.health.items()}
        degraded = {name: cause for name, cause in causes.items() if cause is not None}
        told = {"ready": ready, "tenants": ready, **({"degraded": degraded} if degraded else {})}
        return JSONResponse(told, 200 if ready else 503, None if ready else {"Retry-After": "2"})

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


def _is_told_apart(scope: Scope, known: Principal) -> bool:
    """Is this browser one whose registration, or whose files, must be given back to it alone?"""
    path: str = scope["path"]
    may_hold = scope["method"] == "POST" and not known.signed_in
    return path.startswith("/register") or (may_hold and path.startswith("/procedures/"))


def _headers(scope: Scope) -> dict[str, str]:
    return {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}


def _cookies(header: str) -> dict[str, str]:
    """By name. Not by `http.cookies`, which drops all of them for one that it can't read."""
    return cookie_parser(header)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return
