"""Serving attachments: to be saved, never to be shown on the portal's own ground."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from chassis.access import allow
from chassis.app import HTTPRequest, Opening
from chassis.files import content_disposition
from chassis.principals import CUSTOMER, MANAGER
from chassis.problems import NotFound
from services.requests.attachments.queries import attachment_of
from services.requests.web import person_of

pages = APIRouter()


@pages.api_route(
    "/requests/files/{attachment_id}",
    methods=["GET", "HEAD"],
    dependencies=[allow(CUSTOMER, MANAGER)],
    tags=["file"],
)
async def attachment(http: HTTPRequest, attachment_id: UUID, begin: Opening) -> Response:
    """One's own file, as it is kept."""
    async with begin() as work:
        file = await attachment_of(work.db, person_of(http), attachment_id)
    if file is None:
        raise NotFound
    chunks = await http.app.state.runtime.files.read(http.state.call.tenant, file.id)
    return StreamingResponse(
        chunks,
        media_type=file.media_type,
        headers={
            "Content-Disposition": content_disposition(file.name),
            "Content-Length": str(file.size_bytes),
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "private, no-store",
        },
    )
