"""The page that says why a link does not serve, and how to go on."""

from starlette.responses import Response

from chassis.app import HTTPRequest
from chassis.forms import Message
from services.identity.domain.links import UnusableLink, UsedLink
from services.identity.web import SECRET, web


def unusable_page(
    http: HTTPRequest, problem: UnusableLink, *, again: str | None = None, token: str = ""
) -> Response:
    """Why, and the ways on; with `again`, a button that posts the token there for another link."""
    return web.render(
        http,
        "links/unusable.html",
        status=problem.status,
        headers=SECRET,
        message=Message(problem.title, problem.facts),
        was_used=isinstance(problem, UsedLink),
        again=again,
        token=token,
    )
