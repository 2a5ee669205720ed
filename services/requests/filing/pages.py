"""The pages of filing: introduction, form, recap. Each posts to the next, the answers with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from chassis import clock
from chassis.access import allow
from chassis.app import HTTPRequest, Opening
from chassis.forms import Submission, answered, opened, read
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import CUSTOMER, MANAGER
from chassis.problems import NotFound
from chassis.web import links
from chassis.web.errors import waiting_page
from chassis.web.i18n import current_language
from chassis.web.pages import see_other, see_other_path, submitted
from chassis.work import Begin
from contracts.forms import AnsweredSection, Form
from services.requests.domain.answers import asked, fingerprint, told
from services.requests.filing import consents, forms
from services.requests.filing.consents import Consent
from services.requests.filing.queries import (
    Beginning,
    Offer,
    beginning,
    has_accepted,
    offer,
    saved_under,
)
from services.requests.filing.save_request import Filing, save_request
from services.requests.waiting import once_arrived
from services.requests.web import person_of, portal_of, web

pages = APIRouter()

CUSTOMERS = allow(CUSTOMER, MANAGER)


@dataclass(frozen=True)
class Step:
    """What a page of a filing sent, beside the procedure as it now is."""

    procedure: Offer
    form: Form
    consent: Consent
    fields: Mapping[str, str]
    dropped: list[tuple[str, str]]  # what was answered, and is asked no longer


@pages.api_route("/procedures/{slug}", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def introduction(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """What the procedure is, how long it takes, and the terms unless they were accepted."""
    procedure = await _offered(begin, slug)
    if procedure is None:
        raise NotFound
    if procedure.form is None:
        return see_other_path(links.REGISTER)
    start = await _beginning(http, begin, procedure)
    if start is None:  # an account of this very moment
        return waiting_page(http, http.url.path)
    return _introduction_page(http, start, Submission(forms.INTRODUCTION, {}), {})


@pages.api_route("/procedures/{slug}/{step}", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def step_again(http: HTTPRequest, slug: str, step: Literal["form", "recap"]) -> Response:
    """Who comes here by an address, after signing in again for one, begins again."""
    return see_other(http, "introduction", slug=slug)


@pages.post("/procedures/{slug}", dependencies=[CUSTOMERS])
async def begin_filing(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """The terms are accepted: to the form, filled with what is known or was typed before."""
    fields = await submitted(http)
    procedure = await _offered(begin, slug)
    if procedure is None or procedure.form is None:
        return _gone_page(http, fields)
    start = await _beginning(http, begin, procedure)
    if start is None:
        return see_other(http, "introduction", slug=slug)
    if not start.accepted:
        terms = _read_terms(http, fields)
        if not terms.ok:
            return _introduction_page(http, start, terms, fields, status=422)
    carried = {one.key: fields[one.key] for one in procedure.form.fields() if one.key in fields}
    submission = (
        Submission(procedure.form, carried) if carried else opened(procedure.form, start.known)
    )
    consent = _consent(http, procedure, accepts=not start.accepted)
    return _form_page(http, Step(procedure, procedure.form, consent, fields, []), submission)


@pages.post("/procedures/{slug}/form", dependencies=[CUSTOMERS])
async def check_answers(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """From the form to the recap, or back to the form with what is to be put right."""
    step = await _step(http, slug, begin, await submitted(http))
    if isinstance(step, Response):
        return step
    submission = read(step.form, step.fields)
    if not submission.ok:
        return _form_page(http, step, submission, status=422)
    return _recap_page(http, step, submission, _answered(http, step))


@pages.post("/procedures/{slug}/recap", dependencies=[CUSTOMERS])
async def leave_recap(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """Back to the form with all values, or the save: once, of what the recap showed."""
    fields = await submitted(http)
    key, edits = _key(http, fields), fields.get(forms.THEN) == forms.EDIT
    if key is not None and not edits:
        async with begin() as work:
            saved = await saved_under(work.db, key)
        if saved is not None:  # whatever has become of the procedure since
            return _saved_page(http, saved)
    step = await _step(http, slug, begin, fields)
    if isinstance(step, Response):
        return step
    submission = read(step.form, fields)
    if edits:
        return _form_page(http, step, Submission(step.form, submission.values))
    if not submission.ok:
        return _form_page(http, step, submission, status=422)
    sections = _answered(http, step)
    if key is None or fields.get(forms.SEEN) != fingerprint(sections):
        return _recap_page(http, step, submission, sections, changed=True, status=409)
    filing = Filing(
        key=key,
        procedure_id=step.procedure.id,
        procedure_title=step.procedure.title,
        form_version=step.procedure.form_version,
        sections=sections,
        consent=step.consent,
        timezone=portal_of(http).timezone,
    )
    return _saved_page(http, await _save(begin, filing))


async def _save(begin: Begin, filing: Filing) -> UUID:
    try:
        async with begin() as work:
            return await save_request(work, filing)
    except IntegrityError:  # pressed twice, or the same terms accepted twice: the other was first
        async with begin() as work:
            return await save_request(work, filing)


async def _step(
    http: HTTPRequest, slug: str, begin: Begin, fields: Mapping[str, str]
) -> Step | Response:
    """Where the filing stands; where it can't go on, the page that says so and keeps all."""
    procedure = await _offered(begin, slug)
    if procedure is None or procedure.form is None:
        return _gone_page(http, fields)
    consent = consents.opened(
        _keys(http),
        fields.get(forms.CONSENT, ""),
        tenant=http.state.call.tenant,
        person_id=person_of(http),
        procedure_id=procedure.id,
        now=clock.now(),
    )
    if consent is None:
        async with begin() as work:
            accepted = await has_accepted(work.db, person_of(http), portal_of(http).terms_version)
        if not accepted:
            start = Beginning(procedure, {}, accepted=False)
            refused = Submission(forms.INTRODUCTION, {}).refused(forms.BegunTooLongAgo())
            return _introduction_page(http, start, refused, fields, status=422)
        consent = _consent(http, procedure, accepts=False)
    dropped = told(fields.get(forms.ASKED, ""), fields, without=procedure.form)
    return Step(procedure, procedure.form, consent, fields, dropped)


async def _offered(begin: Begin, slug: str) -> Offer | None:
    async with begin() as work:
        return await offer(work.db, slug)


async def _beginning(http: HTTPRequest, begin: Begin, procedure: Offer) -> Beginning | None:
    person_id, terms_version = person_of(http), portal_of(http).terms_version
    return await once_arrived(begin, lambda db: beginning(db, procedure, person_id, terms_version))


def _read_terms(http: HTTPRequest, fields: Mapping[str, str]) -> Submission:
    """The introduction's box, ticked for the terms that are now in force."""
    terms = read(forms.INTRODUCTION, fields)
    if terms.ok and fields.get(forms.TERMS_VERSION) != str(portal_of(http).terms_version):
        return Submission(forms.INTRODUCTION, {}).refused(forms.TermsChanged())
    return terms


def _consent(http: HTTPRequest, procedure: Offer, *, accepts: bool) -> Consent:
    return Consent(
        tenant=http.state.call.tenant,
        person_id=person_of(http),
        procedure_id=procedure.id,
        terms_version=portal_of(http).terms_version,
        begun_at=clock.now(),
        accepts=accepts,
    )


def _answered(http: HTTPRequest, step: Step) -> tuple[AnsweredSection, ...]:
    languages = portal_of(http).languages
    return answered(step.form, step.fields, languages, web.catalogues.translate)


def _key(http: HTTPRequest, fields: Mapping[str, str]) -> UUID | None:
    """The key of this filing: made of the person too, so that nobody's can meet another's."""
    sent = fields.get(forms.KEY, "")
    return uuid5(person_of(http), sent) if sent else None


def _keys(http: HTTPRequest) -> Keys:
    keys: Keys = http.app.state.runtime.keys
    return keys


def _introduction_page(
    http: HTTPRequest,
    start: Beginning,
    terms: Submission,
    fields: Mapping[str, str],
    *,
    status: int = 200,
) -> Response:
    """The introduction; answers that were typed already go along to the form."""
    form = start.procedure.form
    carried = (
        {}
        if form is None
        else {one.key: fields[one.key] for one in form.fields() if fields.get(one.key)}
    )
    return web.render(
        http,
        "filing/introduction.html",
        status=status,
        procedure=start.procedure,
        asks_terms=not start.accepted,
        terms_version=portal_of(http).terms_version,
        carried=carried,
        form=terms,
    )


def _form_page(
    http: HTTPRequest, step: Step, submission: Submission, *, status: int = 200
) -> Response:
    return web.render(
        http,
        "filing/form.html",
        status=status,
        procedure=step.procedure,
        form=submission,
        consent=consents.sealed(_keys(http), step.consent),
        asked=asked(step.form, current_language.get()),
        dropped=step.dropped,
    )


def _recap_page(
    http: HTTPRequest,
    step: Step,
    submission: Submission,
    sections: tuple[AnsweredSection, ...],
    *,
    changed: bool = False,
    status: int = 200,
) -> Response:
    return web.render(
        http,
        "filing/recap.html",
        status=status,
        procedure=step.procedure,
        values=submission,
        sections=sections,
        changed=changed,
        dropped=step.dropped,
        consent=consents.sealed(_keys(http), step.consent),
        asked=asked(step.form, current_language.get()),
        seen=fingerprint(sections),
        key=new_id().hex,
    )


def _gone_page(http: HTTPRequest, fields: Mapping[str, str]) -> Response:
    """The procedure was retired meanwhile: what was typed is shown, to be kept by its author."""
    answers = told(fields.get(forms.ASKED, ""), fields)
    if not answers:
        raise NotFound
    return web.render(
        http,
        "filing/gone.html",
        status=410,
        answers=answers,
    )


def _saved_page(http: HTTPRequest, request_id: UUID) -> Response:
    return see_other(http, "request_page", {"saved": "1"}, request_id=request_id)
