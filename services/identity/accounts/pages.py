"""One's own details."""

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import SIGNED_IN
from chassis.app import HTTPRequest, Opening
from chassis.web.pages import principal
from services.identity.accounts.queries import own_profile
from services.identity.web import READING, SECRET, web

router = APIRouter()


@router.api_route("/profile", methods=READING, dependencies=[SIGNED_IN])
async def profile_page(http: HTTPRequest, begin: Opening) -> Response:
    """What the portal knows of whoever is signed in."""
    account_id = principal(http).account_id
    assert account_id is not None  # a person has one
    async with begin() as work:
        profile = await own_profile(work.db, account_id)
    return web.render(http, "accounts/profile.html", headers=SECRET, profile=profile)
