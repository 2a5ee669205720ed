"""The home page, and a page for each category. Anyone may read them; nothing is changed."""

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import ANYONE
from chassis.app import HTTPRequest, Opening
from chassis.web import i18n, links
from chassis.web.pages import principal
from chassis.words import shown
from services.catalog.browsing.queries import (
    CategoryCard,
    ProcedureLine,
    category_card,
    category_cards,
)
from services.catalog.web import web

router = APIRouter()

READING = ["GET", "HEAD"]


@router.api_route("/", methods=READING, dependencies=[ANYONE])
async def home_page(http: HTTPRequest, begin: Opening) -> Response:
    """All that the tenant offers, by category."""
    async with begin() as work:
        cards = await category_cards(work.db, signed_in=principal(http).signed_in)
    return web.render(http, "browsing/home.html", cards=cards, rows=rows)


@router.api_route("/categories/{slug}", methods=READING, dependencies=[ANYONE])
async def category_page(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """One category with its procedures."""
    async with begin() as work:
        card = await category_card(work.db, slug, signed_in=principal(http).signed_in)
    return web.render(http, "browsing/category.html", card=card, rows=rows)


def rows(card: CategoryCard) -> list[tuple[str, str]]:
    """The procedures of a card: what each is called, and where it begins."""
    language = i18n.current_language.get()
    return [(shown(one.title, language), _beginning(one)) for one in card.procedures]


def _beginning(procedure: ProcedureLine) -> str:
    """A procedure's introduction, which the requests serve; the registration is identity's."""
    if procedure.opens == "registration":
        return links.REGISTER
    return f"/procedures/{quote(procedure.slug, safe='')}"
