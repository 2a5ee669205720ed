"""The HTTP side as one application: what is asked of every request, and what every answer says."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from chassis.app import OWN_TELEMETRY
from guichet.mailbox import api, pages
from guichet.mailbox.store import NoSuchMail, Store

HOSTS = {"localhost", "127.0.0.1", "::1"}  # no other name: its owner could point it at this machine
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def build_app(store: Store) -> FastAPI:
    """Pages and interface over this store."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, telemetry=OWN_TELEMETRY)
    app.state.store = store
    app.include_router(api.router)
    app.include_router(pages.router)
    app.middleware("http")(_guard)
    app.exception_handler(NoSuchMail)(_missing)
    app.exception_handler(404)(_missing)
    return app


async def _guard(http: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    if _host_name(http) in HOSTS:
        answer = await go_on(http)
    else:
        answer = PlainTextResponse("This name is not served here.", 421)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


async def _missing(http: Request, _error: Exception) -> Response:
    if http.url.path.startswith("/api/"):
        return PlainTextResponse("404 page not found", 404)
    return HTMLResponse(pages.render(http, "missing.html"), 404)


def _host_name(http: Request) -> str | None:
    try:
        return urlsplit("//" + http.headers.get("host", "")).hostname
    except ValueError:
        return None
