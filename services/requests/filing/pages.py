"""The pages of filing: introduction, form, recap. Each posts to the next, the answers with it.

Every page sends all answers, so that what one sees is what is read; the draft that is kept beside
is for whoever comes back. A form's own button, which Enter presses, keeps the draft; only a named
one goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from fastapi import APIRouter
from fastapi.responses import JSONResponse
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
from chassis.web import i18n, links
from chassis.web.errors import waiting_page, wants_json
from chassis.web.i18n import current_language
from chassis.web.pages import see_other, see_other_path, submitted
from chassis.words import N_
from chassis.work import Begin
from contracts.forms import AnsweredSection, Form
from services.requests.domain import drafts
from services.requests.domain.answers import asked, fingerprint, told
from services.requests.filing import consents, forms
from services.requests.filing.consents import Consent
from services.requests.filing.queries import (
    Beginning,
    DraftView,
    Offer,
    beginning,
    draft_of,
    has_accepted,
    offer,
    saved_under,
)
from services.requests.filing.save_draft import Entry, save_draft
from services.requests.filing.save_request import Filing, save_request
from services.requests.waiting import once_arrived
from services.requests.web import person_of, portal_of, web

pages = APIRouter()

CUSTOMERS = allow(CUSTOMER, MANAGER)


@dataclass(frozen=True)
class Step:
    """What a page of a filing sent, beside the procedure and the form that this filing is of."""

    procedure: Offer
    form: Form
    form_version: int
    consent: Consent
    fields: Mapping[str, str]
    dropped: list[tuple[str, str]]  # what was answered, and is asked no longer
    key: str
    saved_at: datetime | None = None  # when the draft was


@pages.api_route("/procedures/{slug}", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def introduction(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """What the procedure is, how long it takes, and the terms unless they were accepted.

    Whoever has a draft of it is asked whether to go on with that.
    """
    procedure = await _offered(begin, slug)
    if procedure is None:
        return await _gone_page(http, begin, slug, {})
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
    """The terms are accepted: to the form, with the draft, what was typed before or is known."""
    fields = await submitted(http)
    procedure = await _offered(begin, slug)
    if procedure is None or procedure.form is None:
        return await _gone_page(http, begin, slug, fields)
    start = await _beginning(http, begin, procedure)
    if start is None:
        return see_other(http, "introduction", slug=slug)
    if not start.accepted:
        terms = _read_terms(http, fields)
        if not terms.ok:
            return _introduction_page(http, start, terms, fields, status=422)
    consent = _consent(http, procedure, accepts=not start.accepted)
    step = Step(
        procedure, procedure.form, procedure.form_version, consent, fields, [], new_id().hex
    )
    if fields.get(forms.THEN) == forms.RESUME and start.draft is not None:
        step = _resumed(step, start.draft)
        return _form_page(http, step, Submission(step.form, step.fields))
    carried = drafts.kept(procedure.form, fields)
    if carried:
        step = replace(step, key=fields.get(forms.KEY) or step.key)
        return _form_page(http, step, Submission(step.form, carried))
    if start.draft is not None and fields.get(forms.THEN) != forms.AFRESH:
        return _introduction_page(http, start, Submission(forms.INTRODUCTION, {}), fields)
    return _form_page(http, step, opened(procedure.form, start.known))


@pages.post("/procedures/{slug}/form", dependencies=[CUSTOMERS])
async def check_answers(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """Keep what is typed; from the form to the recap, or back with what is to be put right."""
    step = await _step(http, slug, begin, await submitted(http))
    if isinstance(step, Response):
        return step
    kept = await _kept(http, begin, step)
    if isinstance(kept, Response):
        return kept
    submission = read(kept.form, kept.fields)
    if kept.fields.get(forms.THEN) != forms.NEXT:
        return _draft_saved(http, kept, submission)
    if not submission.ok:
        return _form_page(http, kept, submission, status=422)
    return _recap_page(http, kept, submission, _answered(http, kept))


@pages.post("/procedures/{slug}/recap", dependencies=[CUSTOMERS])
async def leave_recap(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """Back to the form with all values, or the save: once, of what the recap showed."""
    step = await _step(http, slug, begin, await submitted(http))
    if isinstance(step, Response):
        return step
    submission = read(step.form, step.fields)
    if step.fields.get(forms.THEN) == forms.EDIT:
        return _form_page(http, step, Submission(step.form, submission.values))
    if not submission.ok:
        return _form_page(http, step, submission, status=422)
    sections = _answered(http, step)
    as_shown = step.fields.get(forms.SEEN) == fingerprint(sections)
    if step.fields.get(forms.THEN) != forms.SAVE or not step.fields.get(forms.KEY) or not as_shown:
        kept = await _kept(http, begin, step)
        if isinstance(kept, Response):
            return kept
        changed = step.fields.get(forms.THEN) == forms.SAVE
        status = 409 if changed else 200
        return _recap_page(http, kept, submission, sections, changed=changed, status=status)
    filing = Filing(
        key=_one_use(http, step.key),
        procedure_id=step.procedure.id,
        procedure_title=step.procedure.title,
        form_version=step.form_version,
        sections=sections,
        consent=step.consent,
        timezone=portal_of(http).timezone,
        draft_key=step.key,
    )
    return _saved_page(http, await _save(begin, filing))


async def _save(begin: Begin, filing: Filing) -> UUID:
    try:
        async with begin() as work:
            return await save_request(work, filing)
    except IntegrityError:  # pressed twice, or the same terms accepted twice: the other was first
        async with begin() as work:
            return await save_request(work, filing)


async def _kept(http: HTTPRequest, begin: Begin, step: Step) -> Step | Response:
    """The step with its answers kept as a draft; where the request was sent meanwhile, that."""
    try:
        entry = Entry(
            key=step.key,
            one_use_key=_one_use(http, step.key),
            procedure_id=step.procedure.id,
            slug=step.procedure.slug,
            title=step.procedure.title,
            form_version=step.form_version,
            form=step.form,
            values=drafts.kept(step.form, step.fields),
        )
    except drafts.TooLong as problem:
        submission = read(step.form, step.fields).refused(problem)
        return _form_page(http, step, submission, status=problem.status)
    async with begin() as work:
        draft_id = await save_draft(work, entry)
        saved_at = work.now
        sent = None if draft_id else await saved_under(work.db, entry.one_use_key)
    if sent is not None:
        return _saved_page(http, sent)
    return replace(step, saved_at=saved_at)


async def _step(
    http: HTTPRequest, slug: str, begin: Begin, fields: Mapping[str, str]
) -> Step | Response:
    """Where the filing stands; where it can't go on, the page that says so and keeps all."""
    key = fields.get(forms.KEY, "")[: drafts.LONGEST_KEY]
    async with begin() as work:
        sent = await saved_under(work.db, _one_use(http, key)) if key else None
        procedure = await offer(work.db, slug)
        draft = (
            await draft_of(work.db, person_of(http), procedure_id=procedure.id)
            if procedure is not None
            else None
        )
    if sent is not None:  # whatever has become of the procedure since
        return _saved_page(http, sent)
    if procedure is None or procedure.form is None:
        return await _gone_page(http, begin, slug, fields)
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
            start = Beginning(procedure, {}, accepted=False, draft=None)
            refused = Submission(forms.INTRODUCTION, {}).refused(forms.BegunTooLongAgo())
            return _introduction_page(http, start, refused, fields, status=422)
        consent = _consent(http, procedure, accepts=False)
    step = Step(
        procedure,
        procedure.form,
        procedure.form_version,
        consent,
        fields,
        [],
        key or new_id().hex,
    )
    if draft is not None and draft.key == key:
        step = replace(step, form=draft.form, form_version=draft.form_version)
    return replace(step, dropped=told(fields.get(forms.ASKED, ""), fields, without=step.form))


def _resumed(step: Step, draft: DraftView) -> Step:
    """The filing that the draft is of, with the form that asked."""
    return replace(
        step,
        form=draft.form,
        form_version=draft.form_version,
        fields=draft.values,
        key=draft.key,
        saved_at=draft.saved_at,
    )


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


def _one_use(http: HTTPRequest, key: str) -> UUID:
    """The key of this filing: made of the person too, so that nobody's can meet another's."""
    return uuid5(person_of(http), key)


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
    carried = {} if form is None else drafts.kept(form, fields)
    if carried and forms.KEY in fields:
        carried[forms.KEY] = fields[forms.KEY]
    return web.render(
        http,
        "filing/introduction.html",
        status=status,
        procedure=start.procedure,
        asks_terms=not start.accepted,
        terms_version=portal_of(http).terms_version,
        carried=carried,
        draft=None if carried else start.draft,
        form=terms,
    )


def _draft_saved(http: HTTPRequest, step: Step, submission: Submission) -> Response:
    """That it is kept: a word for the script that asked, the same page again without one."""
    if wants_json(http):
        assert step.saved_at is not None
        return JSONResponse({"said": _saved_line(step.saved_at)})
    return _form_page(http, step, Submission(step.form, submission.values))


def _saved_line(saved_at: datetime | None) -> str:
    """When the draft was saved, in words; nothing where there is none."""
    if saved_at is None:
        return ""
    if i18n.format_date(saved_at) == i18n.format_date(clock.now()):
        facts = {"time": i18n.format_time(saved_at)}
        return web.catalogues.say(N_("Draft saved at %(time)s")) % facts
    facts = {"moment": i18n.format_datetime(saved_at)}
    return web.catalogues.say(N_("Draft saved: %(moment)s")) % facts


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
        key=step.key,
        saved=_saved_line(step.saved_at),
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
        key=step.key,
    )


async def _gone_page(
    http: HTTPRequest, begin: Begin, slug: str, fields: Mapping[str, str]
) -> Response:
    """The procedure was retired meanwhile: what was typed is shown, to be kept by its author."""
    answers = told(fields.get(forms.ASKED, ""), fields)
    if not answers:
        async with begin() as work:
            draft = await draft_of(work.db, person_of(http), slug=slug)
        if draft is not None:
            answers = told(asked(draft.form, current_language.get()), draft.values)
    if not answers:
        raise NotFound
    return web.render(http, "filing/gone.html", status=410, answers=answers)


def _saved_page(http: HTTPRequest, request_id: UUID) -> Response:
    return see_other(http, "request_page", {"saved": "1"}, request_id=request_id)
