"""Getting back what was lost: what it is, who one is, and the page that a reset's link opens.

The answer is the same whether or not anybody is known by what was typed.
"""

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import ANYONE, Again
from chassis.app import HTTPRequest, Opening
from chassis.forms import Submission, opened, read
from chassis.problems import Invalid
from chassis.runtime import Runtime
from chassis.sessions import set_session_cookie
from chassis.web import i18n
from chassis.web.pages import see_other, see_other_path, submitted
from chassis.words import N_
from contracts.links import LINK_PARAMETER, Purpose
from services.identity.attempts import count_attempt
from services.identity.credentials import Asked, asked_of_password
from services.identity.devices import device
from services.identity.domain.attempts import attempts_id
from services.identity.domain.links import UnusableLink, check_serves_active
from services.identity.domain.passwords import check_password
from services.identity.domain.recoveries import MOST, Loss, Lost, NobodyNamed
from services.identity.domain.usernames import username_key
from services.identity.hashing import hashed
from services.identity.links.reading import read_link, token_of
from services.identity.links.unusable import Instead, unusable_page
from services.identity.recovery.forms import CHOICE, FORMS, NOTES, RESET
from services.identity.recovery.queries import Resetting, resetting
from services.identity.recovery.reset_password import reset_password
from services.identity.recovery.submit_recovery import submit_recovery
from services.identity.web import READING, SECRET, web

router = APIRouter()

AFTERWARDS = "/profile?done=reset"
"""Where one is led with a new password: the profile's page says so."""

INSTEAD = Instead(
    path="/recovery/password",
    label=N_("Ask for another link"),
    if_used=N_("If you have chosen a new password already, sign in with it."),
)
"""The way on from a reset's link that does not serve."""


@router.api_route("/recovery", methods=READING, dependencies=[ANYONE])
async def recovery_page(http: HTTPRequest) -> Response:
    """What was lost?"""
    return _choice(http, opened(CHOICE))


@router.post("/recovery", dependencies=[ANYONE])
async def post_lost(http: HTTPRequest, again: Again) -> Response:
    """On to the fields that go with it."""
    sent = await submitted(http)
    form = read(CHOICE, sent)
    if again:
        return _as_it_stands(http, form, sent)
    if not form.ok:
        return _choice(http, form, status=422)
    return see_other(http, "lost_page", lost=form.text("lost"))


@router.api_route("/recovery/sent", methods=READING, dependencies=[ANYONE])
async def recovery_sent_page(http: HTTPRequest) -> Response:
    """What happens next, whoever it was."""
    return web.render(http, "recovery/sent.html")


@router.api_route("/recovery/{lost}", methods=READING, dependencies=[ANYONE])
async def lost_page(http: HTTPRequest, lost: Lost) -> Response:
    """Who is it that lost this?"""
    return _lost(http, lost, opened(FORMS[lost]))


@router.post("/recovery/{lost}", dependencies=[ANYONE])
async def post_recovery(http: HTTPRequest, lost: Lost, begin: Opening, again: Again) -> Response:
    """Have it looked into, out of sight, and say what happens next."""
    sent = await submitted(http)
    if again:
        return _lost(http, lost, Submission(FORMS[lost], sent))
    form = read(FORMS[lost], sent)
    if form.ok and not form.answers:
        form = form.refused(NobodyNamed())
    if not form.ok:
        return _lost(http, lost, form, status=422)
    loss = Loss(lost, form.text("email"), form.text("username"), i18n.current_language.get())
    secret = _runtime(http).keys.secret("attempts")
    attempts = attempts_id(secret, "lost", lost, loss.address.lower(), username_key(loss.username))
    async with begin() as work:
        if await count_attempt(work, attempts, most=MOST):
            await submit_recovery(work, loss)
    return see_other(http, "recovery_sent_page")


@router.api_route("/reset", methods=READING, dependencies=[ANYONE])
async def reset_page(http: HTTPRequest, begin: Opening) -> Response:
    """Where a new password is chosen; opening it changes nothing."""
    token = token_of(http)
    try:
        found, asked = await _resetting(http, token, begin)
    except UnusableLink as problem:
        return unusable_page(http, problem, instead=INSTEAD)
    return _reset(http, opened(RESET[asked.minimum]), found, token)


@router.post("/reset", dependencies=[ANYONE])
async def post_reset(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Set the new password and sign in with it."""
    sent = await submitted(http)
    token = sent.get(LINK_PARAMETER, "")
    try:
        found, asked = await _resetting(http, token, begin)
        if again:
            return _reset(http, opened(RESET[asked.minimum]), found, token)
        form = _checked(sent, asked)
        if not form.ok:
            return _reset(http, form, found, token, status=422)
        new_hash = await hashed(form.text("password"))
        attempts = attempts_id(_runtime(http).keys.secret("attempts"), username_key(found.username))
        async with begin() as work:
            session = await reset_password(
                work,
                read_link(http, token, Purpose.RESET),
                new_hash,
                attempts_id=attempts,
                device=device(http),
            )
    except UnusableLink as problem:
        return unusable_page(http, problem, instead=INSTEAD)
    response = see_other_path(AFTERWARDS)
    set_session_cookie(response, _runtime(http).settings, session.cookie)
    return response


async def _resetting(http: HTTPRequest, token: str, begin: Opening) -> tuple[Resetting, Asked]:
    """What the link is about, and what is asked of the password. Raises UnusableLink."""
    link = read_link(http, token, Purpose.RESET)
    async with begin() as work:
        found = await resetting(work.db, link.id)
        check_serves_active(link, found.standing if found else None, work.now)
        assert found is not None  # else it would not serve
        return found, await asked_of_password(work.db, found.account_id)


def _checked(sent: dict[str, str], asked: Asked) -> Submission:
    """The form as it was filled, with what is to be put right."""
    form = read(RESET[asked.minimum], sent)
    if form.ok:
        try:
            check_password(
                form.text("password"),
                form.text("password_again"),
                minimum=asked.minimum,
                context=asked.context,
            )
        except Invalid as problem:
            form = form.refused(problem)
    return form


def _choice(http: HTTPRequest, form: Submission, *, status: int = 200) -> Response:
    return web.render(http, "recovery/choice.html", status=status, form=form)


def _as_it_stands(http: HTTPRequest, form: Submission, sent: dict[str, str]) -> Response:
    """The choice; with the fields that a script had brought, once something is typed in them."""
    if form.ok:
        lost: Lost = "password" if form.text("lost") == "password" else "username"
        if any(sent.get(one.key) for one in FORMS[lost].fields()):
            return _lost(http, lost, Submission(FORMS[lost], sent))
    return _choice(http, Submission(CHOICE, form.values))


def _lost(http: HTTPRequest, lost: Lost, form: Submission, *, status: int = 200) -> Response:
    return web.render(
        http,
        "recovery/lost.html",
        status=status,
        headers=SECRET,
        form=form,
        lost=lost,
        note=NOTES[lost],
    )


def _reset(
    http: HTTPRequest, form: Submission, found: Resetting, token: str, *, status: int = 200
) -> Response:
    return web.render(
        http,
        "recovery/reset.html",
        status=status,
        headers=SECRET,
        form=form,
        username=found.username,
        token=token,
    )


def _runtime(http: HTTPRequest) -> Runtime:
    runtime: Runtime = http.app.state.runtime
    return runtime
