"""The home page, and a page for each category. Anyone may read them; nothing is changed."""

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import ANYONE
from chassis.app import HTTPRequest, Opening
from chassis.web import links
from chassis.web.pages import principal
from chassis.web.tongues import in_its_tongue
from services.catalog.browsing.queries import (
    CategoryCard,
    ProcedureLine,
    category_card,
    category_cards,
    drafts_of,
)
from services.catalog.web import web

router = APIRouter()

READING = ["GET", "HEAD"]


@router.api_route("/", methods=READING, dependencies=[ANYONE])
async def home_page(http: HTTPRequest, begin: Opening) -> Response:
    """All that the tenant offers, by category; before it, what waits for who is signed in."""
    who = principal(http)
    async with begin() as work:
        cards = await category_cards(work.db, signed_in=who.signed_in)
        drafts = [] if who.person_id is None else await drafts_of(work.db, who.person_id)
    return web.render(http, "browsing/home.html", cards=cards, drafts=drafts, rows=rows)


@router.api_route("/categories/{slug}", methods=READING, dependencies=[ANYONE])
async def category_page(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """One category with its procedures."""
    async with begin() as work:
        card = await category_card(work.db, slug, signed_in=principal(http).signed_in)
    return web.render(http, "browsing/category.html", card=card, rows=rows)


def rows(card: CategoryCard) -> list[tuple[str, str]]:
    """The procedures of a card: what each is called, and where it begins."""
    return [(in_its_tongue(one.title), _beginning(one)) for one in card.procedures]


def _beginning(procedure: ProcedureLine) -> str:
    """A procedure's introduction, which the requests serve; the registration is identity's."""
    if procedure.opens == "registration":
        return links.REGISTER
    return links.procedure(procedure.slug)
