"""The page that an activation's or an invitation's link opens, and what its buttons do.

Opening it changes nothing; only its button consumes the link.
"""

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import ANYONE, Again
from chassis.app import HTTPRequest, Opening
from chassis.forms import Submission, read
from chassis.problems import Invalid
from chassis.runtime import Runtime
from chassis.sessions import set_session_cookie
from chassis.web import links
from chassis.web.pages import see_other, see_other_path, submitted
from chassis.work import Begin
from contracts.links import LINK_PARAMETER, PATHS, Purpose
from services.identity.activation.activate_account import Credentials, activate_account
from services.identity.activation.forms import FORMS
from services.identity.activation.queries import Waiting, free_username, is_taken, waiting
from services.identity.activation.request_activation_again import request_activation_again
from services.identity.devices import device
from services.identity.domain.activations import can_ask_again, check_serves
from services.identity.domain.links import Link, UnusableLink
from services.identity.domain.passwords import check_password
from services.identity.domain.usernames import UsernameTaken, check_username, cleaned
from services.identity.hashing import hashed
from services.identity.links.reading import read_link, token_of
from services.identity.links.unusable import unusable_page
from services.identity.web import READING, SECRET, web

router = APIRouter()


@router.api_route("/activate", methods=READING, dependencies=[ANYONE])
async def activation_page(http: HTTPRequest, begin: Opening) -> Response:
    """Where a registration's person chooses their identifier and password."""
    return await _page(http, begin, Purpose.ACTIVATION)


@router.api_route("/invitation", methods=READING, dependencies=[ANYONE])
async def invitation_page(http: HTTPRequest, begin: Opening) -> Response:
    """The same for whoever was invited."""
    return await _page(http, begin, Purpose.INVITATION)


@router.post("/activate", dependencies=[ANYONE])
async def post_activation(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Make the account its person's and sign them in."""
    return await _activate(http, begin, Purpose.ACTIVATION, again=again)


@router.post("/invitation", dependencies=[ANYONE])
async def post_invitation(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """The same for whoever was invited."""
    return await _activate(http, begin, Purpose.INVITATION, again=again)


@router.post("/activate/again", dependencies=[ANYONE])
async def post_activation_again(http: HTTPRequest, begin: Opening) -> Response:
    """Have another link mailed."""
    return await _again(http, begin, Purpose.ACTIVATION)


@router.post("/invitation/again", dependencies=[ANYONE])
async def post_invitation_again(http: HTTPRequest, begin: Opening) -> Response:
    """The same for whoever was invited."""
    return await _again(http, begin, Purpose.INVITATION)


@router.api_route("/activate/sent", methods=READING, dependencies=[ANYONE])
async def link_sent_page(http: HTTPRequest) -> Response:
    """Another link is on its way."""
    return web.render(http, "activation/sent.html")


async def _page(http: HTTPRequest, begin: Begin, purpose: Purpose) -> Response:
    token = token_of(http)
    found: Waiting | None = None
    link: Link | None = None
    try:
        link = read_link(http, token, purpose)
        async with begin() as work:
            found = await waiting(work.db, link.id)
            check_serves(link, found.standing if found else None, work.now)
            assert found is not None  # else it would not serve
            proposed = await free_username(work.db, found.town)
    except UnusableLink as problem:
        return _unusable(http, problem, purpose, link, found, token)
    form = Submission(FORMS[found.password_minimum], {"username": proposed})
    return _form(http, form, purpose, token, proposed)


async def _activate(http: HTTPRequest, begin: Begin, purpose: Purpose, *, again: bool) -> Response:
    sent = await submitted(http)
    token = sent.get(LINK_PARAMETER, "")
    found: Waiting | None = None
    link: Link | None = None
    try:
        link = read_link(http, token, purpose)
        async with begin() as work:
            username = cleaned(sent.get("username", ""))
            taken = await is_taken(work.db, username)  # first: by this very link, it was used
            found = await waiting(work.db, link.id)
            check_serves(link, found.standing if found else None, work.now)
            assert found is not None  # else it would not serve
            proposed = await free_username(work.db, found.town)
        if again:
            form = Submission(FORMS[found.password_minimum], {"username": username})
            return _form(http, form, purpose, token, proposed)
        form = _checked(sent, found, username, taken=taken)
        if form.ok:
            chosen = Credentials(username, await hashed(form.text("password")))
            try:
                async with begin() as work:
                    session = await activate_account(work, link, chosen, device(http))
            except Invalid as refusal:
                form = form.refused(refusal)
        if not form.ok:
            return _form(http, form, purpose, token, proposed, status=422)
    except UnusableLink as problem:
        return _unusable(http, problem, purpose, link, found, token)
    response = see_other_path(links.HOME)
    runtime: Runtime = http.app.state.runtime
    set_session_cookie(response, runtime.settings, session.cookie)
    return response


def _checked(sent: dict[str, str], found: Waiting, username: str, *, taken: bool) -> Submission:
    """The form as it was filled, with all that is to be put right."""
    form = read(FORMS[found.password_minimum], sent)
    if "username" not in form.errors:
        try:
            check_username(username)
            if taken:
                raise UsernameTaken
        except Invalid as problem:
            form = form.refused(problem)
    if "password" not in form.errors:
        try:
            check_password(
                form.text("password"),
                form.text("password_again"),
                minimum=found.password_minimum,
                context=(*found.names, username),
            )
        except Invalid as problem:
            if problem.field not in form.errors:
                form = form.refused(problem)
    return form


async def _again(http: HTTPRequest, begin: Begin, purpose: Purpose) -> Response:
    sent = await submitted(http)
    try:
        link = read_link(http, sent.get(LINK_PARAMETER, ""), purpose)
        async with begin() as work:
            await request_activation_again(work, link)
    except UnusableLink as problem:
        return unusable_page(http, problem)
    return see_other(http, "link_sent_page")


def _form(
    http: HTTPRequest,
    form: Submission,
    purpose: Purpose,
    token: str,
    proposed: str,
    *,
    status: int = 200,
) -> Response:
    return web.render(
        http,
        "activation/activate.html",
        status=status,
        headers=SECRET,
        form=form,
        action=PATHS[purpose],
        token=token,
        proposed=proposed,
    )


def _unusable(
    http: HTTPRequest,
    problem: UnusableLink,
    purpose: Purpose,
    link: Link | None,
    found: Waiting | None,
    token: str,
) -> Response:
    """Why, and the button that asks for another link, where there is something to activate."""
    standing = found.standing if found else None
    again = link is not None and can_ask_again(link, standing)
    return unusable_page(
        http, problem, again=f"{PATHS[purpose]}/again" if again else None, token=token
    )
