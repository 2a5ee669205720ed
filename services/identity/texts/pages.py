"""What a tenant tells everyone."""

from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import ANYONE
from chassis.app import HTTPRequest
from chassis.problems import NotFound
from chassis.runtime import Runtime
from chassis.web.tongues import in_its_tongue
from chassis.words import N_
from contracts.identity import TenantChanged
from services.identity.domain.texts import blocks
from services.identity.web import READING, web

router = APIRouter()

TITLES = {
    "help": N_("Help"),
    "legal": N_("Legal notice"),
    "privacy": N_("Personal data"),
    "accessibility": N_("Accessibility statement"),
    "terms": N_("Terms of use"),
}

Name = Literal["help", "legal", "privacy", "accessibility", "terms"]


@router.api_route("/texts/{name}", methods=READING, dependencies=[ANYONE])
async def text_page(http: HTTPRequest, name: Name) -> Response:
    """One of the tenant's texts; where it gave none, the page says so and how to ask."""
    facts = await _facts(http)
    text = in_its_tongue(facts.terms.text if name == "terms" else facts.texts.get(name, {}))
    return web.render(
        http,
        "texts/text.html",
        name=name,
        heading=TITLES[name],
        text=text,
        blocks=blocks(text),
        terms=facts.terms if name == "terms" else None,
        published_on=facts.terms.published_at.astimezone(ZoneInfo(facts.timezone)).date(),
    )


async def _facts(http: HTTPRequest) -> TenantChanged:
    runtime: Runtime = http.app.state.runtime
    facts = await runtime.tenants.get(http.state.call.tenant)
    if facts is None:
        raise NotFound
    return facts
