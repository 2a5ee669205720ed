"""Signing in and out."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter
from starlette.responses import Response

from chassis import clock
from chassis.access import ANYONE, Again
from chassis.app import HTTPRequest, Opening
from chassis.files import safe_name
from chassis.forms import Submission, opened, read
from chassis.principals import ANONYMOUS, Principal
from chassis.runtime import Runtime
from chassis.sessions import clear_session_cookie, set_session_cookie
from chassis.web import held, links
from chassis.web.pages import principal, see_other_path, submitted
from chassis.web.uploads import received
from services.identity import hashing
from services.identity.attempts import count_attempt
from services.identity.devices import device
from services.identity.domain.attempts import attempts_id
from services.identity.domain.usernames import username_key
from services.identity.sessions import OpenedSession
from services.identity.signing_in.forms import FORM, WHY
from services.identity.signing_in.look_up_session import look_up_session
from services.identity.signing_in.queries import credentials_of
from services.identity.signing_in.sign_in import WrongPair, sign_in
from services.identity.signing_in.sign_out import sign_out
from services.identity.web import READING, SECRET, web

log = structlog.get_logger()

router = APIRouter()


@router.api_route("/sign-in", methods=READING, dependencies=[ANYONE])
async def sign_in_page(http: HTTPRequest) -> Response:
    """The two ways in. Whoever is signed in goes where they wanted to."""
    following, why = http.query_params.get("next", ""), http.query_params.get("why", "")
    if principal(http).signed_in:
        return see_other_path(links.local(following))
    return _page(http, opened(FORM), following, why)


@router.post("/sign-in", dependencies=[ANYONE])
async def post_sign_in(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Sign in and lead on; else the same page, which does not tell what was wrong."""
    sent = await submitted(http)
    following, why = sent.get("next", ""), sent.get("why", "")
    waiting = sent.get(held.HELD, "")
    if again:
        return _page(http, Submission(FORM, sent), following, why, waiting=waiting)
    form = read(FORM, sent)
    if not form.ok:
        return _page(http, form, following, why, waiting=waiting, status=422)
    try:
        session = await _signed_in(http, begin, form.text("username"), form.text("password"))
    except WrongPair as problem:
        refused = form.refused(problem)
        return _page(http, refused, following, why, waiting=waiting, status=problem.status)
    response: Response = see_other_path(links.local(following))
    if waiting:
        response = await _given_back(http, begin, session, waiting) or response
    set_session_cookie(response, _runtime(http).settings, session.cookie)
    return response


@router.post("/sign-in/again", dependencies=[ANYONE])
async def sign_in_again(http: HTTPRequest) -> Response:
    """The sign-in page for a form whose session had ended: it carries what was typed."""
    nowhere = Path(tempfile.gettempdir())  # no file is written: none may have a single byte
    async with received(http, nowhere, largest_file=0) as sent:
        files = http.query_params.get("files", "")  # kept by whom the form was sent to
        fields = {**sent.fields, held.FILES: files} if files else sent.fields
        form = held.Held(links.local(http.query_params.get("form", "")), fields)
        left = [] if files else [safe_name(one.name) for one in sent.files]
    tenant, keys = http.state.call.tenant, _runtime(http).keys
    waiting = held.sealed(keys, tenant, form, clock.now())
    return _page(http, opened(FORM), "", "ended", waiting=waiting, left_behind=left)


async def _given_back(
    http: HTTPRequest, begin: Any, session: OpenedSession, waiting: str
) -> Response | None:
    """The page that sends on what waited for the sign-in; None where it is not this account's."""
    async with begin() as work:
        who = await look_up_session(work, session.cookie)
    if who is None:
        return None
    tenant, keys = http.state.call.tenant, _runtime(http).keys
    form = held.opened(keys, tenant, waiting, who.account_id, clock.now())
    if form is None:
        return None
    http.state.principal = Principal(
        kind="person",
        account_id=who.account_id,
        person_id=who.person_id,
        organisation_id=who.organisation_id,
        session_id=who.session_id,
        roles=frozenset(who.roles),
        display_name=who.display_name,
    )
    return web.render(http, "signing_in/given_back.html", headers=SECRET, held=form)


async def _signed_in(http: HTTPRequest, begin: Any, username: str, password: str) -> OpenedSession:
    """The new session. Raises WrongPair, after the same work whatever was wrong."""
    attempts = attempts_id(_runtime(http).keys.secret("attempts"), username_key(username))
    async with begin() as work:
        allowed = await count_attempt(work, attempts)
        known = await credentials_of(work.db, username)
    is_right = await hashing.matches(known.password_hash if known else None, password)
    if known is None or not is_right or not allowed:
        raise WrongPair
    outdated = hashing.is_outdated(known.password_hash)
    new_hash = await hashing.hashed(password) if outdated else None
    async with begin() as work:
        return await sign_in(work, known, attempts, new_hash, device(http))


@router.post("/sign-out", dependencies=[ANYONE])
async def post_sign_out(http: HTTPRequest, begin: Opening) -> Response:
    """End the session everywhere; this browser forgets it even where that fails."""
    response: Response = see_other_path(links.HOME)
    try:
        async with begin() as work:
            await sign_out(work)
    except Exception as error:
        log.warning("sign_out_failed", error=type(error).__name__)
        http.state.principal = ANONYMOUS
        response = web.render(http, "signing_in/not_ended.html", status=503, headers=SECRET)
    clear_session_cookie(response, _runtime(http).settings)
    return response


def _page(
    http: HTTPRequest,
    form: Submission,
    following: str,
    why: str,
    *,
    waiting: str = "",
    left_behind: Sequence[str] = (),
    status: int = 200,
) -> Response:
    return web.render(
        http,
        "signing_in/sign_in.html",
        status=status,
        headers=SECRET,
        form=form,
        following=links.local(following, default=""),
        why=why if why in WHY else "",
        reason=WHY.get(why),
        waiting=waiting,
        left_behind=left_behind,
    )


def _runtime(http: HTTPRequest) -> Runtime:
    runtime: Runtime = http.app.state.runtime
    return runtime
