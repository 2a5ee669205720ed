"""The page that says why a link does not serve, and how to go on."""

from dataclasses import dataclass

from starlette.responses import Response

from chassis.app import HTTPRequest
from chassis.forms import Message
from chassis.web import links
from chassis.words import N_
from services.identity.domain.links import UnusableLink, UsedLink
from services.identity.web import SECRET, web


@dataclass(frozen=True)
class Instead:
    """The way on beside signing in: where to, what its button says; words for a link once used."""

    path: str
    label: str
    if_used: str


ANOTHER_ACCOUNT = Instead(
    links.REGISTER,
    N_("Ask for an account"),
    N_("If you have chosen your username and your password already, sign in."),
)


def unusable_page(
    http: HTTPRequest,
    problem: UnusableLink,
    *,
    again: str | None = None,
    token: str = "",
    instead: Instead = ANOTHER_ACCOUNT,
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
        instead=instead,
    )
