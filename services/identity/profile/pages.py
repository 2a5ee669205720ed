"""One's own profile: what the portal knows, and a page for each thing that one may change."""

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import ANYONE, SIGNED_IN, Again
from chassis.app import HTTPRequest, Opening
from chassis.forms import Submission, grouped_phone, read
from chassis.problems import Invalid
from chassis.runtime import Runtime
from chassis.sessions import set_language_cookie
from chassis.web.pages import principal, see_other, submitted, tenant_view
from chassis.words import N_
from contracts.forms import Form
from contracts.links import LINK_PARAMETER, Purpose
from services.identity.credentials import asked_of_password
from services.identity.domain.attempts import attempts_id
from services.identity.domain.links import UnusableLink, check_serves_active
from services.identity.domain.names import display_name
from services.identity.domain.passwords import check_password
from services.identity.domain.profiles import Details
from services.identity.hashing import hashed
from services.identity.links.reading import read_link, token_of
from services.identity.links.unusable import Instead, unusable_page
from services.identity.profile import queries
from services.identity.profile.change_details import change_details
from services.identity.profile.change_password import change_password
from services.identity.profile.change_username import change_username
from services.identity.profile.choose_language import choose_language
from services.identity.profile.confirm_address import confirm_address
from services.identity.profile.current_password import right_hash
from services.identity.profile.end_own_session import end_other_sessions, end_own_session
from services.identity.profile.forms import ADDRESS, DETAILS, PASSWORD, USERNAME, language_form
from services.identity.profile.request_address_change import request_address_change
from services.identity.web import READING, SECRET, web

router = APIRouter()

DONE = {
    "details": N_("Your details have been saved."),
    "identifier": N_("Your username has been changed: sign in with the new one from now on."),
    "password": N_("Your password has been changed. Your other sessions have been ended."),
    "reset": N_("Your password has been changed and you are signed in. Other sessions were ended."),
    "address": N_(
        "An email has been sent to the new address. Open it and follow its link within 24 hours: "
        "until then your emails go to the old one."
    ),
    "language": N_("Your language has been saved: for these pages and for your emails."),
}
"""What has just happened, by the word in the address."""

INSTEAD = Instead(
    path="/profile/address",
    label=N_("Ask for another link"),
    if_used=N_("If you have confirmed the address already, there is nothing more to do."),
)
"""The way on from a link to a new address that does not serve."""


@router.api_route("/profile", methods=READING, dependencies=[SIGNED_IN])
async def profile_page(http: HTTPRequest, begin: Opening) -> Response:
    """What the portal knows of whoever is signed in."""
    account_id = _account_id(http)
    async with begin() as work:
        profile = await queries.own_profile(work.db, account_id)
        awaited = await queries.awaited_address(work.db, account_id, work.now)
        sessions = await queries.own_sessions(work.db, account_id, work.now)
    name = display_name(profile.birth_name, profile.first_name)  # as of now, unlike the token's
    http.state.principal = replace(principal(http), display_name=name or profile.username or "")
    return web.render(
        http,
        "profile/profile.html",
        headers=SECRET,
        profile=profile,
        awaited=awaited,
        sessions=len(sessions),
        several_languages=len(_languages(http)) > 1,
        done=DONE.get(http.query_params.get("done", "")),
    )


@router.api_route("/profile/details", methods=READING, dependencies=[SIGNED_IN])
async def details_page(http: HTTPRequest, begin: Opening) -> Response:
    """How one is called."""
    async with begin() as work:
        profile = await queries.own_profile(work.db, _account_id(http))
    known = {
        "title": profile.title,
        "birth_name": profile.birth_name,
        "first_name": profile.first_name,
        "phone": grouped_phone(profile.phone or ""),
    }
    return _page(http, "details", Submission(DETAILS, known))


@router.post("/profile/details", dependencies=[SIGNED_IN])
async def post_details(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Keep them."""
    sent = await submitted(http)
    if again:
        return _page(http, "details", Submission(DETAILS, sent))
    form = read(DETAILS, sent)
    if not form.ok:
        return _page(http, "details", form, status=422)
    details = Details(
        form.text("title"),
        form.text("birth_name"),
        form.text("first_name"),
        form.text("phone") or None,
    )
    async with begin() as work:
        await change_details(work, details)
    return _done(http, "details")


@router.api_route("/profile/identifier", methods=READING, dependencies=[SIGNED_IN])
async def identifier_page(http: HTTPRequest, begin: Opening) -> Response:
    """What one signs in with."""
    async with begin() as work:
        profile = await queries.own_profile(work.db, _account_id(http))
    return _page(http, "identifier", Submission(USERNAME, {"username": profile.username or ""}))


@router.post("/profile/identifier", dependencies=[SIGNED_IN])
async def post_identifier(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Keep the new one."""
    sent = await submitted(http)
    if again:
        return _page(http, "identifier", Submission(USERNAME, sent))
    form = read(USERNAME, sent)
    if form.ok:
        try:
            async with begin() as work:
                await change_username(work, form.text("username"))
        except Invalid as problem:
            form = form.refused(problem)
    return _done(http, "identifier") if form.ok else _page(http, "identifier", form, status=422)


@router.api_route("/profile/password", methods=READING, dependencies=[SIGNED_IN])
async def password_page(http: HTTPRequest, begin: Opening) -> Response:
    """The current password, and a new one."""
    async with begin() as work:
        asked = await asked_of_password(work.db, _account_id(http))
    return _page(http, "password", Submission(PASSWORD[asked.minimum], {}))


@router.post("/profile/password", dependencies=[SIGNED_IN])
async def post_password(http: HTTPRequest, begin: Opening) -> Response:
    """Set the new one; one's other sessions end."""
    async with begin() as work:
        asked = await asked_of_password(work.db, _account_id(http))
    form = read(PASSWORD[asked.minimum], await submitted(http))
    if form.ok:
        attempts = _attempts(http)
        try:
            check_password(
                form.text("password"),
                form.text("password_again"),
                minimum=asked.minimum,
                context=asked.context,
            )
            known = await right_hash(
                begin, _account_id(http), form.text("current_password"), attempts
            )
            new_hash = await hashed(form.text("password"))
            async with begin() as work:
                await change_password(work, known, new_hash, attempts_id=attempts)
        except Invalid as problem:
            form = form.refused(problem)
    return _done(http, "password") if form.ok else _page(http, "password", form, status=422)


@router.api_route("/profile/address", methods=READING, dependencies=[SIGNED_IN])
async def address_page(http: HTTPRequest) -> Response:
    """Where one's mails are to go."""
    return _page(http, "address", Submission(ADDRESS, {}))


@router.post("/profile/address", dependencies=[SIGNED_IN])
async def post_address(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Have the new address asked to confirm."""
    sent = await submitted(http)
    if again:
        return _page(http, "address", Submission(ADDRESS, sent))
    form = read(ADDRESS, sent)
    if form.ok:
        attempts = _attempts(http)
        try:
            known = await right_hash(
                begin, _account_id(http), form.text("current_password"), attempts
            )
            async with begin() as work:
                await request_address_change(work, form.text("email"), known, attempts_id=attempts)
        except Invalid as problem:
            form = form.refused(problem)
    return _done(http, "address") if form.ok else _page(http, "address", form, status=422)


@router.api_route("/profile/language", methods=READING, dependencies=[SIGNED_IN])
async def language_page(http: HTTPRequest, begin: Opening) -> Response:
    """Which language is spoken to one."""
    async with begin() as work:
        profile = await queries.own_profile(work.db, _account_id(http))
    form = Submission(_language_form(http), {"language": profile.language})
    return _page(http, "language", form)


@router.post("/profile/language", dependencies=[SIGNED_IN])
async def post_language(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Keep it, and have this browser speak it too, whatever was chosen there before."""
    sent = await submitted(http)
    if again:
        return _page(http, "language", Submission(_language_form(http), sent))
    form = read(_language_form(http), sent)
    if form.ok:
        try:
            async with begin() as work:
                await choose_language(work, form.text("language"))
        except Invalid as problem:
            form = form.refused(problem)
    if not form.ok:
        return _page(http, "language", form, status=422)
    response = _done(http, "language")
    set_language_cookie(response, _runtime(http).settings, form.text("language"))
    return response


@router.api_route("/profile/sessions", methods=READING, dependencies=[SIGNED_IN])
async def sessions_page(http: HTTPRequest, begin: Opening) -> Response:
    """Where one is signed in."""
    async with begin() as work:
        sessions = await queries.own_sessions(work.db, _account_id(http), work.now)
    own = principal(http).session_id
    ordered = sorted(sessions, key=lambda one: one.id != own)  # this one first, the rest as it is
    return web.render(http, "profile/sessions.html", headers=SECRET, sessions=ordered, own=own)


@router.post("/profile/sessions/{session_id}/end", dependencies=[SIGNED_IN])
async def post_session_end(http: HTTPRequest, session_id: UUID, begin: Opening) -> Response:
    """End that one, if it is one's own; pressed twice it is ended once."""
    async with begin() as work:
        await end_own_session(work, session_id)
    return see_other(http, "sessions_page")


@router.post("/profile/sessions/end-others", dependencies=[SIGNED_IN])
async def post_other_sessions_end(http: HTTPRequest, begin: Opening) -> Response:
    """End all but this one."""
    async with begin() as work:
        await end_other_sessions(work)
    return see_other(http, "sessions_page")


@router.api_route("/confirm-address", methods=READING, dependencies=[ANYONE])
async def confirm_address_page(http: HTTPRequest, begin: Opening) -> Response:
    """The button by which a new address confirms itself; opening the page changes nothing."""
    token = token_of(http)
    try:
        link = read_link(http, token, Purpose.EMAIL_CHANGE)
        async with begin() as work:
            found = await queries.changing(work.db, link.id)
            check_serves_active(link, found.standing if found else None, work.now)
            assert found is not None  # else it would not serve
    except UnusableLink as problem:
        return unusable_page(http, problem, instead=INSTEAD)
    return web.render(
        http,
        "profile/confirm_address.html",
        headers=SECRET,
        username=found.username,
        address=found.address,
        token=token,
    )


@router.post("/confirm-address", dependencies=[ANYONE])
async def post_confirm_address(http: HTTPRequest, begin: Opening) -> Response:
    """From now on the person's mails go there."""
    sent = await submitted(http)
    try:
        link = read_link(http, sent.get(LINK_PARAMETER, ""), Purpose.EMAIL_CHANGE)
        async with begin() as work:
            await confirm_address(work, link)
    except UnusableLink as problem:
        return unusable_page(http, problem, instead=INSTEAD)
    return see_other(http, "address_confirmed_page")


@router.api_route("/confirm-address/done", methods=READING, dependencies=[ANYONE])
async def address_confirmed_page(http: HTTPRequest) -> Response:
    """That it is so."""
    return web.render(http, "profile/address_confirmed.html")


def _page(http: HTTPRequest, what: str, form: Submission, *, status: int = 200) -> Response:
    """The page of one thing's form: `profile/<what>.html`."""
    return web.render(http, f"profile/{what}.html", status=status, headers=SECRET, form=form)


def _done(http: HTTPRequest, what: str) -> Response:
    return see_other(http, "profile_page", {"done": what})


def _language_form(http: HTTPRequest) -> Form:
    return language_form(_languages(http))


def _languages(http: HTTPRequest) -> list[str]:
    """Those of the tenant that are spoken here."""
    view = tenant_view(http)
    return [one for one in (view.languages if view else ()) if web.catalogues.speaks(one)]


def _account_id(http: HTTPRequest) -> UUID:
    account_id = principal(http).account_id
    assert account_id is not None  # a person has one
    return account_id


def _attempts(http: HTTPRequest) -> UUID:
    """The row that counts the attempts at one's current password."""
    return attempts_id(_runtime(http).keys.secret("attempts"), "account", str(_account_id(http)))


def _runtime(http: HTTPRequest) -> Runtime:
    runtime: Runtime = http.app.state.runtime
    return runtime
