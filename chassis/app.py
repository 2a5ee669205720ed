"""The app factory: a service's FastAPI app behind the check of its principal tokens.

Every route but health answers 403 without a valid token from the gateway. What the token says
stands in `http.state`: `call` (tenant, http_id), `principal`; `runtime` is the app's.
"""

import asyncio
import time
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import SpanKind
from sqlalchemy import text
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import clock, metrics, telemetry
from chassis.operations import operations
from chassis.principals import TOKEN_HEADER, BadToken, verify
from chassis.problems import NotFound, Problem
from chassis.runtime import Runtime
from chassis.work import Begin

log = structlog.get_logger()

HTTPRequest = Request
"""The HTTP request: a *request* is what a customer files."""

OWN_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""FastAPI's own is off: its spans would hold paths and queries, and with them links' tokens."""

HEALTH = frozenset({"/livez", "/readyz"})


def begin_of(http: HTTPRequest) -> Begin:
    """How this call opens its unit of work: for its tenant, as its principal."""
    runtime: Runtime = http.app.state.runtime
    call = http.state.call
    return lambda: runtime.database.begin(call.tenant, call.principal)


Opening = Annotated[Begin, Depends(begin_of)]
"""For a route's parameter: `begin: Opening`, then `async with begin() as work`."""


def build_app(runtime: Runtime) -> FastAPI:
    """The service's app, ready to be served in-process or by a server."""
    service = runtime.service
    app = FastAPI(
        title=service.name,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=OWN_TELEMETRY,
    )
    app.state.runtime = runtime
    for router in service.routers:
        app.include_router(router)
    app.include_router(operations)
    app.router.routes.append(Route("/livez", _live))
    app.router.routes.append(Route("/readyz", _ready))
    app.add_exception_handler(Problem, _problem_details)
    app.add_exception_handler(HTTPException, _http_details)
    for extend in service.extend:
        extend(app, runtime)
    app.add_middleware(TokenGate, runtime=runtime)
    return app


class TokenGate:
    """Lets in what carries the gateway's token for this part; logs and traces each call."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"] in HEALTH:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        token = headers.get(TOKEN_HEADER.encode(), b"").decode("latin-1")
        part = self._runtime.service.name
        try:
            call = verify(self._runtime.token_key, part, token, clock.now())
        except BadToken as error:
            log.warning("token_refused", service=part, cause=str(error))
            await _refused(scope, receive, send)
            return
        scope.setdefault("state", {}).update(call=call, principal=call.principal)
        parent = headers.get(b"traceparent", b"").decode("latin-1") or None
        with (
            structlog.contextvars.bound_contextvars(
                tenant=str(call.tenant), http_id=call.http_id, service=part
            ),
            telemetry.span(f"serve {part}", kind=SpanKind.SERVER, parent=parent, part=part) as span,
        ):
            await self._serve(scope, receive, send, span)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, span: Any) -> None:
        started = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "")  # never the path: it may hold a token
            span.set_attribute("http.route", route)
            span.set_attribute("http.status_code", status)
            took_s = time.perf_counter() - started
            metrics.count_call(self._runtime.service.name, scope["method"], route, status, took_s)
            log.info(
                "http_served",
                method=scope["method"],
                route=route,
                status=status,
                ms=round(took_s * 1000, 1),
            )


async def _refused(scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse(
        {"type": "about:blank", "title": "Forbidden", "status": 403},
        status_code=403,
        media_type="application/problem+json",
    )
    await answer(scope, receive, send)


async def _problem_details(http: Request, problem: Exception) -> JSONResponse:
    """RFC 9457, for what has no pages; `chassis.web` puts its error pages in front."""
    assert isinstance(problem, Problem)
    return JSONResponse(
        {"type": "about:blank", "title": problem.title, "status": problem.status},
        status_code=problem.status,
        media_type="application/problem+json",
    )


async def _http_details(http: Request, error: Exception) -> JSONResponse:
    """What there is no route for is told as what is not for this reader is."""
    assert isinstance(error, HTTPException)
    if error.status_code == NotFound.status:
        return await _problem_details(http, NotFound())
    return JSONResponse(
        {"type": "about:blank", "title": error.detail, "status": error.status_code},
        status_code=error.status_code,
        headers=error.headers,
        media_type="application/problem+json",
    )


async def _live(_http: Request) -> JSONResponse:
    return JSONResponse({"live": True})


async def _ready(http: Request) -> JSONResponse:
    """Does the service's database answer? What is degraded is named."""
    runtime: Runtime = http.app.state.runtime
    try:
        async with asyncio.timeout(2), runtime.database.app.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception as error:
        return JSONResponse(
            {"ready": False, "database": type(error).__name__},
            status_code=503,
            headers={"Retry-After": "2"},
        )
    causes = {name: check() for name, check in runtime.health.items()}
    degraded = {name: cause for name, cause in causes.items() if cause is not None}
    return JSONResponse({"ready": True, **({"degraded": degraded} if degraded else {})})
