"""What a reader gets when there is no page to give: in their language, with what to do next.

HTML for browsers; RFC 9457 problem details for `/internal` and for whoever asks for JSON.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.access import is_shown_again
from chassis.forms import Message
from chassis.problems import Forbidden, NotFound, Problem, SignInRequired, TooMany, Unavailable
from chassis.web import links
from chassis.web.i18n import N_
from chassis.web.pages import (
    VARY,
    Pages,
    language_tag,
    see_other_path,
    tenant_view,
    wanted_language,
)

HEADINGS = {
    400: N_("This request was not understood"),
    403: N_("Access denied"),
    404: N_("Page not found"),
    405: N_("This address does not take that"),
    409: N_("This has just changed"),
    413: N_("Too large"),
    422: N_("Something needs your attention"),
    429: N_("Too many attempts"),
    503: N_("Away for a moment"),
}
FAILED = N_("Something went wrong")

TEXTS = {
    400: N_("Go back and try again."),
    403: Forbidden.title,
    404: NotFound.title,
    405: N_("Go back, or start again from the home page."),
    409: N_("Go back and load the page again to see how it is now."),
    413: N_("What you sent is larger than this page takes. Shorten it, then try again."),
    422: N_("Go back and check what you entered: it has been kept."),
    429: TooMany.title,
    503: Unavailable.title,
}

RETRY_AFTER_S = 5


def problem_page(
    http: Request,
    status: int,
    *,
    title: str | None = None,
    text: str | None = None,
    headers: Mapping[str, str] | None = None,
    pages: Pages | None = None,
) -> Response:
    """The error page of this status, with its own heading and text or those given (msgids)."""
    return _answer(
        http,
        status,
        HEADINGS.get(status, FAILED) if title is None else title,
        Message(TEXTS.get(status, Problem.title) if text is None else text),
        headers,
        pages,
    )


def refusal_page(http: Request, problem: Problem, *, pages: Pages | None = None) -> Response:
    """What a Problem that nobody caught becomes: sign-in for SignInRequired, else an error page."""
    if isinstance(problem, SignInRequired) and not wants_json(http):
        return sign_in_first(http, files=problem.facts.get("files", ""))
    headers = {}
    if problem.status in {429, 503}:
        retry_s = problem.facts.get("retry_s", RETRY_AFTER_S)
        headers["Retry-After"] = str(math.ceil(retry_s))
    message = Message(problem.title, problem.facts)
    heading = HEADINGS.get(problem.status, FAILED)
    return _answer(http, problem.status, heading, message, headers, pages)


def waiting_page(
    http: Request,
    link: str,
    *,
    title: str = N_("One moment"),
    text: str = N_("This page completes itself in a moment."),
    after_s: int = 1,
    pages: Pages | None = None,
) -> Response:
    """A page that looks again at `link` by itself, for what an event has yet to bring.

    Neither script nor `<meta refresh>`: the header `Refresh`, and a link for whoever switches it
    off. Status 202: what was asked for is on its way.
    """
    return _pages(http, pages).render(
        http,
        "waiting.html",
        status=202,
        headers={"Refresh": f"{after_s}; url={link}", "Cache-Control": "no-store"},
        heading=title,
        text=text,
        link=link,
    )


def sign_in_first(http: Request, *, files: str = "") -> Response:
    """To the sign-in page, which says why and leads back to the page that was asked for.

    A form goes along as it was sent, to be given back after signing in (`chassis.web.held`), with
    what names its `files`, where they were kept.
    """
    if http.method == "POST":
        path = f"{http.url.path}?{http.url.query}" if is_shown_again(http) else http.url.path
        again = links.sign_in_again(form=path, files=files)
        return RedirectResponse(again, status_code=307, headers={"Cache-Control": "no-store"})
    asked = http.url.path
    if http.url.query:
        asked = f"{asked}?{http.url.query}"
    why = "procedure" if asked.startswith("/procedures/") else "page"
    return see_other_path(links.sign_in(next=asked, why=why))


def wants_json(http: Request) -> bool:
    """Is the caller a program?"""
    accepted = http.headers.get("accept", "")
    return http.url.path.startswith("/internal/") or (
        "json" in accepted and "text/html" not in accepted
    )


def install_error_pages(app: FastAPI, pages: Pages) -> None:
    """Have every refusal of the app answered by `pages`."""
    app.state.pages = pages

    async def on_problem(http: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return refusal_page(http, problem)

    async def on_http_exception(http: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_page(http, error.status_code, headers=error.headers)

    async def on_invalid_parameters(http: Request, error: Exception) -> Response:
        """An id of another form is the id of nothing: 404, as for one that does not exist."""
        assert isinstance(error, RequestValidationError)
        in_path = any(one["loc"][:1] == ("path",) for one in error.errors())
        return problem_page(http, 404 if in_path else 422)

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_invalid_parameters)


def _answer(
    http: Request,
    status: int,
    heading: str,
    message: Message,
    headers: Mapping[str, str] | None,
    pages: Pages | None,
) -> Response:
    drawn_by = _pages(http, pages)
    more = {"Cache-Control": "no-store", **(headers or {})}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        more.setdefault("Retry-After", str(RETRY_AFTER_S))
    if wants_json(http):
        language = drawn_by.language(tenant_view(http), wanted_language(http))
        more.update({"Content-Language": language_tag(language), "Vary": VARY})
        return JSONResponse(
            {
                "type": "about:blank",
                "title": HTTPStatus(status).phrase,
                "status": status,
                "detail": message.said(language, drawn_by.catalogues.translate),
            },
            status_code=status,
            headers=more,
            media_type="application/problem+json",
        )
    return drawn_by.render(
        http, "problem.html", status=status, headers=more, heading=heading, message=message
    )


def _pages(http: Request, pages: Pages | None) -> Pages:
    if pages is not None:
        return pages
    found: Pages = http.app.state.pages
    return found
