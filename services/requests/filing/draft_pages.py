"""The buttons of drafts: to throw one away, and to take it back."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import allow
from chassis.app import HTTPRequest, Opening
from chassis.principals import CUSTOMER, MANAGER
from chassis.web.pages import see_other
from services.requests.filing.discard_draft import discard_draft
from services.requests.filing.restore_draft import restore_draft

pages = APIRouter()

CUSTOMERS = allow(CUSTOMER, MANAGER)


@pages.post("/requests/drafts/{draft_id}/discard", dependencies=[CUSTOMERS])
async def post_discard(http: HTTPRequest, draft_id: UUID, begin: Opening) -> Response:
    """Throw one's own draft away; the page that follows offers to undo it."""
    async with begin() as work:
        await discard_draft(work, draft_id)
    return see_other(http, "my_requests", {"discarded": str(draft_id)})


@pages.post("/requests/drafts/{draft_id}/restore", dependencies=[CUSTOMERS])
async def post_restore(http: HTTPRequest, draft_id: UUID, begin: Opening) -> Response:
    """Take it back."""
    async with begin() as work:
        await restore_draft(work, draft_id)
    return see_other(http, "my_requests")
