"""The web ring around a service: the tenant's view on every request, a page for every failure."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import structlog
from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.principals import ANONYMOUS
from chassis.web.i18n import current_language
from chassis.web.install import install_web
from chassis.web.tenant_view import TenantView
from contracts.identity import Brand, Support, TenantChanged, Terms
from tests.support.gallery import pages

TENANT_ID = UUID(int=1)
CHANGED = TenantChanged.model_validate(
    {
        "tenant_id": TENANT_ID,
        "slug": "ypok",
        "name": "YPOK",
        "host": "ypok.localhost",
        "origin": None,
        "state": "active",
        "brand": Brand(portal_name="YService", colour="#1f5fa8"),
        "support": Support(phone="04.72.26.06.86", hours={}, mail="s@ypok.example"),
        "signature": {"fr": "Le Service SAV d'YPOK"},
        "languages": ("xx", "fr"),
        "timezone": "Indian/Reunion",
        "terms": Terms.model_validate(
            {"version": 3, "published_at": "2026-01-01T00:00:00Z", "text": {}}
        ),
    }
)


class TokenStandIn:
    """Sets what the gate of tokens sets."""

    def __init__(self, app: ASGIApp, tenant: UUID | None) -> None:
        self._app = app
        self._tenant = tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        if self._tenant is not None:
            state["call"] = SimpleNamespace(tenant=self._tenant)
        state["principal"] = ANONYMOUS
        await self._app(scope, receive, send)


async def asked(path: str, tenant: UUID | None = TENANT_ID) -> httpx.Response:
    """The answer of a small service that knows one tenant."""

    async def known(asked_for: UUID) -> TenantChanged | None:
        return CHANGED if asked_for == TENANT_ID else None

    runtime: Any = SimpleNamespace(tenants=SimpleNamespace(get=known))
    service = FastAPI()

    @service.get("/view")
    async def view(http: Request) -> dict[str, object]:
        seen: TenantView | None = http.state.tenant_view
        return {"portal": seen and seen.portal_name, "language": current_language.get()}

    @service.get("/raises")
    async def raises() -> None:
        raise RuntimeError("mairie@lyon.fr")

    install_web(pages)(service, runtime)
    service.add_middleware(TokenStandIn, tenant=tenant)
    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.get(path)


async def test_a_request_knows_its_tenant_and_speaks_its_language() -> None:
    assert (await asked("/view")).json() == {"portal": "YService", "language": "fr"}


async def test_a_tenant_not_told_of_yet_is_none() -> None:
    assert (await asked("/view", UUID(int=2))).json() == {"portal": None, "language": "fr"}


async def test_what_asks_as_nobody_is_let_through() -> None:
    assert (await asked("/nowhere", None)).status_code == 404


async def test_a_failure_is_a_page_and_a_line_without_what_was_typed() -> None:
    with structlog.testing.capture_logs() as lines:
        response = await asked("/raises")
    assert response.status_code == 500
    assert "Un problème est survenu" in response.text
    assert "YService" in response.text
    (line,) = [one for one in lines if one["event"] == "page_failed"]
    assert line["error"] == "RuntimeError"
    assert "mairie@lyon.fr" not in str(line)


def test_a_tenants_view_is_cut_from_what_identity_tells() -> None:
    view = TenantView.of(CHANGED)
    assert (view.slug, view.terms_version, view.timezone) == ("ypok", 3, "Indian/Reunion")
