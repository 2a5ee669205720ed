"""The pages of filing: introduction, form, recap. Each posts to the next, the answers with it.

Every page sends all answers, so that what one sees is what is read; the draft that is kept beside
is for whoever comes back. A form's own button, which Enter presses, keeps the draft; only a named
one goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from chassis.files import Files
from chassis.forms import (
    UNSEEN,
    Message,
    Submission,
    answered,
    asked_pages,
    hidden_answers,
    pages_of,
    prefill,
    read,
    rearranged,
)
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.principals import CUSTOMER, MANAGER
from chassis.problems import NotFound
from chassis.web import i18n, links
from chassis.web.errors import waiting_page, wants_json
from chassis.web.i18n import current_language
from chassis.web.pages import see_other, see_other_path, submitted
from chassis.web.uploads import ReceivedFile, received
from chassis.words import N_
from chassis.work import Begin
from contracts.forms import AnsweredSection, AttachedFile, Form
from services.requests.domain import drafts
from services.requests.domain.answers import asked, fingerprint, told
from services.requests.domain.attachments import LARGEST_FILE
from services.requests.filing import consents, forms
from services.requests.filing.consents import Consent
from services.requests.filing.queries import (
    Beginning,
    DraftView,
    Offer,
    attached_to,
    beginning,
    draft_of,
    has_accepted,
    known_values,
    offer,
    saved_under,
)
from services.requests.filing.save_draft import Entry
from services.requests.filing.save_request import Filing, save_request
from services.requests.filing.taking_in import take_in, without_file
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
    fields: Mapping[str, str]  # all that was sent
    values: Mapping[str, str]  # the answers, as typed
    key: str
    page: int = 0  # among `pages_of` the form
    dropped: tuple[tuple[str, str], ...] = ()  # answered, and asked no longer
    files: Mapping[UUID, AttachedFile] = field(default_factory=dict)
    refused: Mapping[str, Message] = field(default_factory=dict)  # files, by their inputs
    saved_at: datetime | None = None  # when the draft was

    @property
    def then(self) -> str:
        """Which named button was pressed."""
        return self.fields.get(forms.THEN, "")

    def asked(self) -> list[int]:
        """The pages on which something is asked, in order."""
        asked = {page.sections[0].key for page in asked_pages(self.form, self.values)}
        return [
            number
            for number, page in enumerate(pages_of(self.form))
            if page.sections[0].key in asked
        ]

    def read(self, page: int | None = None) -> Submission:
        """The answers of a page, or of the whole form, read."""
        form = self.form if page is None else pages_of(self.form)[page]
        unseen = "" if page is None else self.fields.get(UNSEEN, "")
        return self._with_refusals(read(form, {**self.values, UNSEEN: unseen}, self.files))

    def shown(self) -> Submission:
        """The page as it is filled, right or wrong."""
        form = pages_of(self.form)[self.page]
        return self._with_refusals(Submission(form, self.values, files=self.files))

    def _with_refusals(self, submission: Submission) -> Submission:
        return replace(submission, errors={**submission.errors, **self.refused})


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
    step = Step(
        procedure,
        procedure.form,
        procedure.form_version,
        _consent(http, procedure, accepts=not start.accepted),
        fields,
        {},
        new_id().hex,
    )
    if step.then == forms.RESUME and start.draft is not None:
        return _form_page(http, await _resumed(begin, step, start.draft))
    carried = drafts.kept(procedure.form, fields)
    if carried:
        return _form_page(
            http, replace(step, values=carried, key=fields.get(forms.KEY) or step.key)
        )
    if start.draft is not None and step.then != forms.AFRESH:
        return _introduction_page(http, start, Submission(forms.INTRODUCTION, {}), fields)
    return _form_page(http, replace(step, values=prefill(procedure.form, start.known)))


@pages.post("/procedures/{slug}/form", dependencies=[CUSTOMERS])
async def check_answers(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """Keep what is typed and attached; to the next page or the recap, or back to put it right."""
    store: Files = http.app.state.runtime.files
    async with received(http, store.incoming, largest_file=LARGEST_FILE) as sent:
        found = await _step(http, slug, begin, sent.fields)
        if isinstance(found, Response):
            return found
        step = replace(found, values=rearranged(found.form, found.values, found.fields))
        before = step.read(step.page)
        onward = _onward(step) if step.then == forms.NEXT and before.ok else step.page
        kept = await _kept(http, begin, step, sent.files, page=onward)
    if isinstance(kept, Response):
        return kept
    if kept.refused:
        return _form_page(http, kept, kept.shown(), status=422)
    if kept.then == forms.BACK:
        earlier = [page for page in kept.asked() if page < kept.page]
        return _form_page(http, replace(kept, page=earlier[-1] if earlier else kept.page))
    if kept.then != forms.NEXT:
        return _draft_saved(http, kept)
    submission = kept.read(kept.page)
    if not submission.ok:
        return _form_page(http, kept, submission, status=422 if submission.wrong else 200)
    onward = _onward(kept)
    if onward != kept.page:
        return _form_page(http, replace(kept, page=onward, fields={}))
    return await _recap(http, begin, kept)


@pages.post("/procedures/{slug}/recap", dependencies=[CUSTOMERS])
async def leave_recap(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """Back to the form with all values, or the save: once, of what the recap showed."""
    step = await _step(http, slug, begin, await submitted(http))
    if isinstance(step, Response):
        return step
    if step.then == forms.EDIT or step.then.startswith(forms.EDIT_SECTION):
        section = step.then.removeprefix(forms.EDIT_SECTION).partition(".")[0]
        return _form_page(http, replace(step, page=_page_with(step, section)))
    sections = _answered(http, step)
    as_shown = step.fields.get(forms.SEEN) == fingerprint(sections)
    if (
        step.then != forms.SAVE
        or not as_shown
        or not step.fields.get(forms.KEY)
        or not step.read().ok
    ):
        kept = await _kept(http, begin, step, (), page=step.page)
        if isinstance(kept, Response):
            return kept
        return await _recap(http, begin, kept, changed=step.then == forms.SAVE)
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


async def _recap(http: HTTPRequest, begin: Begin, step: Step, *, changed: bool = False) -> Response:
    """The recap, once every page is right; else the first page with something to put right."""
    if not step.read().ok:
        for page in step.asked():
            submission = replace(step, fields={}).read(page)
            if not submission.ok:
                return _form_page(http, replace(step, page=page), submission, status=422)
    async with begin() as work:
        known = await known_values(work.db, person_of(http))
    return _recap_page(http, step, known or {}, changed=changed)


def _onward(step: Step) -> int:
    """The next page on which something is asked; the same where this was the last."""
    return next((page for page in step.asked() if page > step.page), step.page)


def _page_with(step: Step, section: str) -> int:
    """The page on which that section is asked, else the first."""
    for number, page in enumerate(pages_of(step.form)):
        if any(one.key == section for one in page.sections):
            return number
    return step.asked()[0]


async def _save(begin: Begin, filing: Filing) -> UUID:
    try:
        async with begin() as work:
            return await save_request(work, filing)
    except IntegrityError:  # pressed twice, or the same terms accepted twice: the other was first
        async with begin() as work:
            return await save_request(work, filing)


async def _kept(
    http: HTTPRequest, begin: Begin, step: Step, files: Sequence[ReceivedFile], *, page: int
) -> Step | Response:
    """The step with its answers and files kept; where the request was sent meanwhile, that."""
    removed = step.fields.get(forms.REMOVE_FILE, "")
    values = without_file(step.values, removed) if removed else step.values
    entry = Entry(
        key=step.key,
        one_use_key=_one_use(http, step.key),
        procedure_id=step.procedure.id,
        slug=step.procedure.slug,
        title=step.procedure.title,
        form_version=step.form_version,
        form=step.form,
        values=values,
        page=page,
    )
    store: Files = http.app.state.runtime.files
    taken = await take_in(begin, store, http.state.call.tenant, entry, files, without=_id(removed))
    if taken.draft_id is None:
        async with begin() as work:
            sent = await saved_under(work.db, entry.one_use_key)
        assert sent is not None  # or there were a draft
        return _saved_page(http, sent)
    async with begin() as work:
        attached = await attached_to(work.db, taken.draft_id)
    return replace(
        step, values=taken.values, files=attached, refused=taken.refused, saved_at=clock.now()
    )


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
    form, form_version, files = procedure.form, procedure.form_version, {}
    if draft is not None and draft.key == key:
        form, form_version = draft.form, draft.form_version
        async with begin() as work:
            files = await attached_to(work.db, draft.id)
    try:
        values = drafts.kept(form, fields)
    except drafts.TooLong as problem:
        refused = Submission(form, fields).refused(problem)
        step = Step(procedure, form, form_version, consent, fields, fields, key)
        return _form_page(http, step, refused, status=problem.status)
    return Step(
        procedure,
        form,
        form_version,
        consent,
        fields,
        values,
        key or new_id().hex,
        page=_page_sent(form, fields),
        dropped=tuple(told(fields.get(forms.ASKED, ""), fields, without=form)),
        files=files,
    )


def _page_sent(form: Form, fields: Mapping[str, str]) -> int:
    sent = fields.get(forms.PAGE, "")
    number = int(sent) if sent.isdecimal() and len(sent) < 4 else 0
    return min(number, len(pages_of(form)) - 1)


async def _resumed(begin: Begin, step: Step, draft: DraftView) -> Step:
    """The filing that the draft is of, with the form that asked."""
    async with begin() as work:
        files = await attached_to(work.db, draft.id)
    return replace(
        step,
        form=draft.form,
        form_version=draft.form_version,
        values=draft.values,
        key=draft.key,
        page=min(draft.page, len(pages_of(draft.form)) - 1),
        files=files,
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
    return answered(step.form, step.values, languages, web.catalogues.translate, step.files)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


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


def _draft_saved(http: HTTPRequest, step: Step) -> Response:
    """That it is kept: a word for the script that asked, the same page again without one."""
    if wants_json(http):
        return JSONResponse({"said": _saved_line(step.saved_at)})
    return _form_page(http, step)


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
    http: HTTPRequest, step: Step, submission: Submission | None = None, *, status: int = 200
) -> Response:
    asked_here = step.asked()
    return web.render(
        http,
        "filing/form.html",
        status=status,
        procedure=step.procedure,
        form=submission or step.shown(),
        consent=consents.sealed(_keys(http), step.consent),
        asked=asked(step.form, current_language.get()),
        dropped=step.dropped,
        key=step.key,
        saved=_saved_line(step.saved_at),
        page=step.page,
        step=asked_here.index(step.page) + 1 if step.page in asked_here else 1,
        steps=len(asked_here),
        takes_files=any(one.kind == "file" for one in step.form.fields()),
    )


def _recap_page(
    http: HTTPRequest, step: Step, known: Mapping[str, str], *, changed: bool
) -> Response:
    sections = _answered(http, step)
    hidden = hidden_answers(
        step.form,
        step.values,
        portal_of(http).languages,
        web.catalogues.translate,
        step.files,
        known,
    )
    return web.render(
        http,
        "filing/recap.html",
        status=409 if changed else 200,
        procedure=step.procedure,
        values=step.read(),
        sections=sections,
        changed=changed,
        dropped=step.dropped,
        hidden_answers=hidden,
        consent=consents.sealed(_keys(http), step.consent),
        asked=asked(step.form, current_language.get()),
        seen=fingerprint(sections),
        key=step.key,
        page=step.page,
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
