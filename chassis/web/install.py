"""Puts the web ring around a service's app: `extend=[install_web(pages)]` in its assembly."""

import traceback
from collections.abc import Callable

import structlog
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.database.connection import is_away
from chassis.runtime import Runtime
from chassis.web import i18n
from chassis.web.errors import install_error_pages, problem_page
from chassis.web.pages import Pages
from chassis.web.tenant_view import TenantView

log = structlog.get_logger()


def install_web(pages: Pages) -> Callable[[FastAPI, Runtime], None]:
    """Give every request its `http.state.tenant_view`, and every refusal its page."""

    def install(app: FastAPI, runtime: Runtime) -> None:
        install_error_pages(app, pages)
        app.add_middleware(PageContext, runtime=runtime, pages=pages, owner=app)

    return install


class PageContext:
    """Sets the tenant's view and language of a request; answers what raised with a page."""

    def __init__(self, app: ASGIApp, runtime: Runtime, pages: Pages, owner: FastAPI) -> None:
        self._app = app
        self._runtime = runtime
        self._pages = pages
        self._owner = owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        call = scope.get("state", {}).get("call")
        if scope["type"] != "http" or call is None:  # health asks as nobody
            await self._app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            facts = await self._runtime.tenants.get(call.tenant)
            view = TenantView.of(facts) if facts else None
            scope["state"]["tenant_view"] = view
            language = self._pages.language(view, getattr(call, "language", ""))
            with i18n.speaking(language, view.timezone if view else None):
                await self._app(scope, receive, noting)
        except ClientDisconnect:
            log.info("client_went_away")
        except Exception as error:
            # Its words may hold what somebody typed: they are not logged.
            away = is_away(error)
            tell = log.warning if away else log.error
            tell("page_failed", error=type(error).__name__, where=_where(error))
            if started:
                raise
            scope.setdefault("app", self._owner)
            answer = problem_page(Request(scope), 503 if away else 500, pages=self._pages)
            await answer(scope, receive, send)


def _where(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{frame.name}:{frame.lineno}" for frame in frames]
