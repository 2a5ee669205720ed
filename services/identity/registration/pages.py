"""Asking for an account: introduction, form, recap, and the page that says it is saved.

Between them nothing is stored. The introduction's POST leads on with a signed acceptance of the
terms; the form's answers with a recap that holds the answers and a one-use key; saving is unique
on that key.
"""

import secrets
from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access import ANYONE, Again
from chassis.app import HTTPRequest, Opening
from chassis.forms import Submission, answered, opened, read
from chassis.problems import Invalid, NotFound
from chassis.web import i18n, links
from chassis.web.own_links import own_path
from chassis.web.pages import principal, see_other, submitted, tenant_view
from contracts.links import LINK_PARAMETER, Purpose
from services.identity.domain.links import GoneLink, UnusableLink
from services.identity.domain.registrations import (
    ABOUT,
    FORM,
    MINUTES,
    TITLE,
    AcceptedTerms,
    Answers,
    answers_of,
)
from services.identity.links.reading import read_link, token_of
from services.identity.links.unusable import unusable_page
from services.identity.registration import queries
from services.identity.registration.ask_for_further_account import (
    ask_for_further_account,
    check_further,
)
from services.identity.registration.forms import INTRODUCTION
from services.identity.registration.handles import (
    accepted_terms,
    is_print_handle,
    print_handle,
    terms_handle,
)
from services.identity.registration.submit_registration import Filled, submit_registration
from services.identity.web import READING, SECRET, web

router = APIRouter()

TERMS, KEY, STEP = "_terms", "_key", "_step"
"""Inputs of the pages' own, beside the form's."""

EDIT = "edit"


@router.api_route("/register", methods=READING, dependencies=[ANYONE])
async def introduction_page(http: HTTPRequest) -> Response:
    """What one is about to begin, and the box that accepts the terms."""
    return _introduction(http, opened(INTRODUCTION), {})


@router.post("/register", dependencies=[ANYONE])
async def post_introduction(http: HTTPRequest, again: Again) -> Response:
    """On to the form, with the acceptance; answers that were given before come along."""
    sent = await submitted(http)
    if again:
        return _introduction(http, Submission(INTRODUCTION, sent), sent)
    form = read(INTRODUCTION, sent)
    if not form.ok:
        return _introduction(http, form, sent, status=422)
    view = tenant_view(http)
    if view is None:
        raise NotFound
    handle = terms_handle(http, view.terms_version)
    carried = _carried(sent)
    if carried:
        return _form(http, Submission(FORM, carried), handle)
    return see_other(http, "registration_form", {"terms": handle})


@router.api_route("/register/form", methods=READING, dependencies=[ANYONE])
async def registration_form(http: HTTPRequest) -> Response:
    """The questions, for whoever has accepted the terms."""
    handle = http.query_params.get("terms", "")
    if accepted_terms(http, handle) is None:
        return see_other(http, "introduction_page")
    return _form(http, opened(FORM), handle)


@router.post("/register/form", dependencies=[ANYONE])
async def post_form(http: HTTPRequest, again: Again) -> Response:
    """The recap, or the form again: with what is to be put right, or to change the answers."""
    sent = await submitted(http)
    handle = sent.get(TERMS, "")
    if accepted_terms(http, handle) is None:
        return _introduction(http, opened(INTRODUCTION), sent, status=422)
    form, _ = _answers(sent)
    if again or sent.get(STEP) == EDIT:
        return _form(http, Submission(FORM, form.values), handle)
    if not form.ok:
        return _form(http, form, handle, status=422)
    return _recap(http, form, handle)


@router.post("/register/save", dependencies=[ANYONE])
async def post_registration(http: HTTPRequest, begin: Opening, again: Again) -> Response:
    """Save the registration, once for a key, and lead to the page that says so."""
    sent = await submitted(http)
    terms = accepted_terms(http, sent.get(TERMS, ""))
    if terms is None:
        return _introduction(http, opened(INTRODUCTION), sent, status=422)
    form, told = _answers(sent)
    if told is None:
        return _form(http, form, sent[TERMS], status=422)
    key = sent.get(KEY, "")
    if again:
        return _recap(http, form, sent[TERMS], key)
    if not 16 <= len(key) <= 64:  # no recap of ours: show one, whose button saves
        return _recap(http, form, sent[TERMS], status=422)
    async with begin() as work:
        request_id = await submit_registration(work, _filled(form, told, terms, key))
    return see_other(http, "saved_page", {"handle": print_handle(http, request_id)})


@router.api_route("/register/saved", methods=READING, dependencies=[ANYONE])
async def saved_page(http: HTTPRequest) -> Response:
    """What was saved and what happens next. The same whether or not the address is known."""
    handle = http.query_params.get("handle", "")
    if not is_print_handle(http, handle):
        raise NotFound
    here = own_path(http, "saved_page")
    requests = links.MY_REQUESTS
    if not principal(http).signed_in:
        requests = links.sign_in(next=links.MY_REQUESTS, why="registration")
    return web.render(
        http,
        "registration/saved.html",
        headers=SECRET,
        title_of_request=TITLE,
        to_requests=requests,
        to_print=f"{links.MY_REQUESTS}/handle/{handle}",
        close=None if "closed" in http.query_params else f"{here}?handle={handle}&closed=1",
    )


@router.api_route("/register/further", methods=READING, dependencies=[ANYONE])
async def further_page(http: HTTPRequest, begin: Opening) -> Response:
    """The button that asks for a further account; opening the page changes nothing."""
    token = token_of(http)
    try:
        link = read_link(http, token, Purpose.FURTHER_ACCOUNT)
        async with begin() as work:
            found = await queries.submitted(work.db, link.id)
            now = work.now
        if found is None:
            raise GoneLink
        check_further(link, found.state, found.address)
        link.check_age(now)
    except UnusableLink as problem:
        return unusable_page(http, problem)
    return web.render(http, "registration/further.html", headers=SECRET, token=token)


@router.post("/register/further", dependencies=[ANYONE])
async def post_further(http: HTTPRequest, begin: Opening) -> Response:
    """Open the further account; the activation's link comes by mail."""
    sent = await submitted(http)
    try:
        link = read_link(http, sent.get(LINK_PARAMETER, ""), Purpose.FURTHER_ACCOUNT)
        async with begin() as work:
            link.check_age(work.now)
            await ask_for_further_account(work, link)
    except UnusableLink as problem:
        return unusable_page(http, problem)
    return see_other(http, "further_asked_page")


@router.api_route("/register/further/asked", methods=READING, dependencies=[ANYONE])
async def further_asked_page(http: HTTPRequest) -> Response:
    """What happens next."""
    return web.render(http, "registration/further_asked.html")


def _introduction(
    http: HTTPRequest, form: Submission, sent: Mapping[str, str], *, status: int = 200
) -> Response:
    return web.render(
        http,
        "registration/introduction.html",
        status=status,
        headers=SECRET,
        form=form,
        title=TITLE,
        about=ABOUT,
        minutes=MINUTES,
        carried=_carried(sent),
    )


def _form(http: HTTPRequest, form: Submission, handle: str, *, status: int = 200) -> Response:
    return web.render(
        http,
        "registration/form.html",
        status=status,
        headers=SECRET,
        form=form,
        title=TITLE,
        minutes=MINUTES,
        handle=handle,
    )


def _recap(
    http: HTTPRequest, form: Submission, handle: str, key: str = "", *, status: int = 200
) -> Response:
    catalogues = web.catalogues
    return web.render(
        http,
        "registration/recap.html",
        status=status,
        headers=SECRET,
        filled=form,
        sections=answered(FORM, form.values, catalogues.languages, catalogues.translate),
        handle=handle,
        key=key or secrets.token_urlsafe(16),
    )


def _carried(sent: Mapping[str, str]) -> dict[str, str]:
    """The answers among what was sent, as they were typed."""
    return {one.key: sent[one.key] for one in FORM.fields() if sent.get(one.key)}


def _answers(sent: Mapping[str, str]) -> tuple[Submission, Answers | None]:
    """The form as it was filled, and what it tells, unless something is to be put right."""
    form = read(FORM, sent)
    if "postcode" in form.errors:
        return form, None
    try:
        told = answers_of({one.key: form.text(one.key) for one in FORM.fields()})
    except Invalid as problem:
        return form.refused(problem), None
    return form, told if form.ok else None


def _filled(form: Submission, told: Answers, terms: AcceptedTerms, key: str) -> Filled:
    catalogues = web.catalogues
    return Filled(
        answers=told,
        title=catalogues.words(TITLE),
        sections=answered(FORM, form.values, catalogues.languages, catalogues.translate),
        language=i18n.current_language.get(),
        terms=terms,
        one_use_key=key,
    )
