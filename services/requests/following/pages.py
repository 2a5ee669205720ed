"""The pages of following: the list, a request, and the page made for paper."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis import clock
from chassis.access import ANYONE, allow
from chassis.app import HTTPRequest, Opening
from chassis.principals import CUSTOMER, MANAGER
from chassis.problems import NotFound
from chassis.web.errors import waiting_page
from chassis.web.own_links import own_path
from chassis.web.pages import language_tag, wanted_language
from services.requests.domain.mails import mail_named, outcome_named
from services.requests.domain.states import label_of
from services.requests.following.handles import request_named
from services.requests.following.press import printed
from services.requests.following.queries import (
    RequestView,
    any_request,
    discarded_draft,
    drafts_of,
    mails_about,
    request_of,
    requests_of,
)
from services.requests.following.sheet import sheet_of
from services.requests.waiting import once_arrived
from services.requests.web import person_of, portal_of, web

pages = APIRouter()

CUSTOMERS = allow(CUSTOMER, MANAGER)


@pages.api_route("/requests", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def my_requests(http: HTTPRequest, begin: Opening) -> Response:
    """The person's drafts, then their requests, latest first.

    `older_than` names the last request of a page before, `discarded` a draft that was thrown away
    just now.
    """
    older_than = _id(http.query_params.get("older_than"))
    discarded_id = _id(http.query_params.get("discarded"))
    async with begin() as work:
        found = await requests_of(work.db, person_of(http), older_than)
        drafts = [] if older_than else await drafts_of(work.db, person_of(http))
        discarded = (
            await discarded_draft(work.db, person_of(http), discarded_id) if discarded_id else None
        )
    return web.render(
        http,
        "following/list.html",
        found=found,
        drafts=drafts,
        discarded=discarded,
        label_of=label_of,
    )


# Before /requests/{request_id}/print, which would take a handle for an id.
@pages.api_route("/requests/handle/{handle}", methods=["GET", "HEAD"], dependencies=[ANYONE])
async def request_by_handle(http: HTTPRequest, handle: str, begin: Opening) -> Response:
    """The account creation that this browser has just saved, to be seen and printed signed out."""
    found = await _by_handle(http, handle, begin)
    if isinstance(found, Response):
        return found
    pdf = own_path(http, "request_by_handle_as_pdf", handle=handle)
    return _paper(http, found, pdf=pdf, signed_in=False)


@pages.api_route(
    "/requests/handle/{handle}/pdf", methods=["GET", "HEAD"], dependencies=[ANYONE], tags=["file"]
)
async def request_by_handle_as_pdf(http: HTTPRequest, handle: str, begin: Opening) -> Response:
    """The same, as a file."""
    found = await _by_handle(http, handle, begin)
    return found if isinstance(found, Response) else await _pdf(http, found)


@pages.api_route("/requests/{request_id}", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def request_page(http: HTTPRequest, request_id: UUID, begin: Opening) -> Response:
    """One's own request with its answers; right after saving, the banner that says so."""
    async with begin() as work:
        request = await request_of(work.db, person_of(http), request_id)
        mails = [] if request is None else await mails_about(work.db, request.id)
    if request is None:
        raise NotFound
    return web.render(
        http,
        "following/request.html",
        request=request,
        mails=mails,
        label_of=label_of,
        mail_named=mail_named,
        outcome_named=outcome_named,
        saved=http.query_params.get("saved") == "1",
    )


@pages.api_route("/requests/{request_id}/print", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def request_on_paper(http: HTTPRequest, request_id: UUID, begin: Opening) -> Response:
    """One's own request, made for paper."""
    async with begin() as work:
        request = await request_of(work.db, person_of(http), request_id)
    if request is None:
        raise NotFound
    pdf = own_path(http, "request_as_pdf", request_id=request_id)
    return _paper(http, request, pdf=pdf, signed_in=True)


@pages.api_route(
    "/requests/{request_id}/pdf", methods=["GET", "HEAD"], dependencies=[CUSTOMERS], tags=["file"]
)
async def request_as_pdf(http: HTTPRequest, request_id: UUID, begin: Opening) -> Response:
    """One's own request, as a file."""
    async with begin() as work:
        request = await request_of(work.db, person_of(http), request_id)
    if request is None:
        raise NotFound
    return await _pdf(http, request)


async def _by_handle(http: HTTPRequest, handle: str, begin: Opening) -> RequestView | Response:
    """The request that the handle shows to this browser, or the page that says why none."""
    call = http.state.call
    request_id = request_named(
        http.app.state.runtime.keys,
        handle,
        tenant=call.tenant,
        principal=call.principal,
        now=clock.now(),
    )
    if request_id is None:
        return web.render(
            http,
            "following/handle_ended.html",
            status=404,
            headers={"Cache-Control": "no-store"},
        )
    request = await once_arrived(begin, lambda db: any_request(db, request_id))
    return waiting_page(http, http.url.path) if request is None else request


async def _pdf(http: HTTPRequest, request: RequestView) -> Response:
    portal = portal_of(http)
    language = web.language(portal, wanted_language(http))
    return Response(
        await printed(sheet_of(request, portal, language)),
        media_type="application/pdf",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{request.number}.pdf"',
            "Content-Language": language_tag(language),
            "X-Content-Type-Options": "nosniff",
        },
    )


def _paper(http: HTTPRequest, request: RequestView, *, pdf: str, signed_in: bool) -> Response:
    return web.render(
        http,
        "following/paper.html",
        headers={"Cache-Control": "no-store"},
        request=request,
        label_of=label_of,
        pdf=pdf,
        signed_in=signed_in,
    )


def _id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
