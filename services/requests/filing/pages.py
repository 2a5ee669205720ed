"""The pages of filing: introduction, form, recap. Each posts to the next, the answers with it.

Every page sends all answers, so that what one sees is what is read; the draft that is kept beside
is for whoever comes back. A form's own button, which Enter presses, keeps the draft; only a named
one goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from chassis import clock
from chassis.access import Again, allow
from chassis.app import HTTPRequest, Opening
from chassis.files import Files
from chassis.forms import (
    Submission,
    prefill,
    read,
    rearranged,
)
from chassis.ids import new_id
from chassis.principals import CUSTOMER, MANAGER
from chassis.web import links
from chassis.web.errors import waiting_page
from chassis.web.pages import see_other, see_other_path, submitted
from chassis.web.uploads import ReceivedFile, received
from chassis.work import Begin
from services.requests.domain import drafts
from services.requests.domain.answers import fingerprint, told
from services.requests.domain.attachments import LARGEST_FILE
from services.requests.filing import consents, forms
from services.requests.filing.holding import HOLDING, claimed
from services.requests.filing.queries import (
    Beginning,
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
from services.requests.filing.showing import (
    draft_saved,
    form_page,
    gone_page,
    introduction_page,
    recap_page,
    saved_page,
)
from services.requests.filing.step import (
    Step,
    consent_of,
    first_step,
    keys_of,
    one_use,
    onward_of,
    page_sent,
    page_with,
    resumed,
    sections_of,
)
from services.requests.filing.taking_in import take_in, without_file
from services.requests.waiting import once_arrived
from services.requests.web import person_of, portal_of

pages = APIRouter()

CUSTOMERS = allow(CUSTOMER, MANAGER)


@pages.api_route("/procedures/{slug}", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def introduction(http: HTTPRequest, slug: str, begin: Opening) -> Response:
    """What the procedure is, how long it takes, and the terms unless they were accepted.

    Whoever has a draft of it is asked whether to go on with that; `?resume=1` says so already.
    """
    procedure = await _offered(begin, slug)
    if procedure is None:
        return await gone_page(http, begin, slug, {})
    if procedure.form is None:
        return see_other_path(links.REGISTER)
    start = await _beginning(http, begin, procedure)
    if start is None:  # an account of this very moment
        return waiting_page(http, http.url.path)
    if http.query_params.get("resume") == "1" and start.draft is not None and start.accepted:
        step = first_step(http, start, procedure.form, {})
        return form_page(http, await resumed(begin, step, start.draft))
    return introduction_page(http, start, Submission(forms.INTRODUCTION, {}), {})


@pages.api_route("/procedures/{slug}/{step}", methods=["GET", "HEAD"], dependencies=[CUSTOMERS])
async def step_again(http: HTTPRequest, slug: str, step: Literal["form", "recap"]) -> Response:
    """Who comes here by an address, after signing in again for one, begins again."""
    return see_other(http, "introduction", slug=slug)


@pages.post("/procedures/{slug}", dependencies=[CUSTOMERS])
async def begin_filing(http: HTTPRequest, slug: str, begin: Opening, again: Again) -> Response:
    """The terms are accepted: to the form, with the draft, what was typed before or is known."""
    fields = await submitted(http)
    procedure = await _offered(begin, slug)
    if procedure is None or procedure.form is None:
        return await gone_page(http, begin, slug, fields)
    start = await _beginning(http, begin, procedure)
    if start is None:
        return see_other(http, "introduction", slug=slug)
    if again:
        return introduction_page(http, start, Submission(forms.INTRODUCTION, fields), fields)
    if not start.accepted:
        terms = _read_terms(http, fields)
        if not terms.ok:
            return introduction_page(http, start, terms, fields, status=422)
    step = first_step(http, start, procedure.form, fields)
    if step.then == forms.RESUME and start.draft is not None:
        return form_page(http, await resumed(begin, step, start.draft))
    carried = drafts.kept(procedure.form, fields)
    if carried:
        return form_page(http, replace(step, values=carried, key=fields.get(forms.KEY) or step.key))
    if start.draft is not None and step.then != forms.AFRESH:
        return introduction_page(http, start, Submission(forms.INTRODUCTION, {}), fields)
    return form_page(http, replace(step, values=prefill(procedure.form, start.known)))


@pages.post("/procedures/{slug}/form", dependencies=[HOLDING, CUSTOMERS])
async def check_answers(http: HTTPRequest, slug: str, begin: Opening, again: Again) -> Response:
    """Keep what is typed and attached; to the next page or the recap, or back to put it right."""
    store: Files = http.app.state.runtime.files
    async with (
        received(http, store.incoming, largest_file=LARGEST_FILE) as sent,
        claimed(http, sent.fields) as waited,
    ):
        files = [*sent.files, *waited]
        found = await _step(http, slug, begin, sent.fields)
        if isinstance(found, Response):
            return found
        if again and not files:  # which else are kept, as they can't be filled in again
            return form_page(http, found)
        step = replace(found, values=rearranged(found.form, found.values, found.fields))
        before = step.read(step.page)
        onward = onward_of(step) if step.then == forms.NEXT and before.ok else step.page
        kept = await _kept(http, begin, step, files, page=onward)
    if isinstance(kept, Response):
        return kept
    if kept.refused:
        return form_page(http, kept, kept.shown(), status=422)
    if kept.then == forms.BACK:
        earlier = [page for page in kept.asked() if page < kept.page]
        return form_page(http, replace(kept, page=earlier[-1] if earlier else kept.page))
    if kept.then != forms.NEXT:
        return draft_saved(http, kept)
    submission = kept.read(kept.page)
    if not submission.ok:
        return form_page(http, kept, submission, status=422 if submission.wrong else 200)
    onward = onward_of(kept)
    if onward != kept.page:
        return form_page(http, replace(kept, page=onward, fields={}))
    return await _recap(http, begin, kept)


@pages.post("/procedures/{slug}/recap", dependencies=[CUSTOMERS])
async def leave_recap(http: HTTPRequest, slug: str, begin: Opening, again: Again) -> Response:
    """Back to the form with all values, or the save: once, of what the recap showed."""
    step = await _step(http, slug, begin, await submitted(http))
    if isinstance(step, Response):
        return step
    if again:
        return await _recap(http, begin, step)
    if step.then == forms.EDIT or step.then.startswith(forms.EDIT_SECTION):
        section = step.then.removeprefix(forms.EDIT_SECTION).partition(".")[0]
        return form_page(http, replace(step, page=page_with(step, section)))
    sections = sections_of(http, step)
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
        key=one_use(http, step.key),
        procedure_id=step.procedure.id,
        procedure_title=step.procedure.title,
        form_version=step.form_version,
        sections=sections,
        consent=step.consent,
        timezone=portal_of(http).timezone,
        draft_key=step.key,
    )
    return saved_page(http, await _save(begin, filing))


async def _recap(http: HTTPRequest, begin: Begin, step: Step, *, changed: bool = False) -> Response:
    """The recap, once every page is right; else the first page with something to put right."""
    if not step.read().ok:
        for page in step.asked():
            submission = replace(step, fields={}).read(page)
            if not submission.ok:
                return form_page(http, replace(step, page=page), submission, status=422)
    async with begin() as work:
        known = await known_values(work.db, person_of(http))
    return recap_page(http, step, known or {}, changed=changed)


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
        one_use_key=one_use(http, step.key),
        procedure_id=step.procedure.id,
        slug=step.procedure.slug,
        title=step.procedure.title,
        form_version=step.form_version,
        form=step.form,
        values=values,
        timezone=portal_of(http).timezone,
        page=page,
    )
    store: Files = http.app.state.runtime.files
    taken = await take_in(begin, store, http.state.call.tenant, entry, files, without=_id(removed))
    if taken.draft_id is None:
        async with begin() as work:
            sent = await saved_under(work.db, entry.one_use_key)
        assert sent is not None  # or there were a draft
        return saved_page(http, sent)
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
        sent = await saved_under(work.db, one_use(http, key)) if key else None
        procedure = await offer(work.db, slug)
        draft = (
            await draft_of(work.db, person_of(http), procedure_id=procedure.id, key=key)
            if procedure is not None
            else None
        )
    if sent is not None:  # whatever has become of the procedure since
        return saved_page(http, sent)
    if procedure is None or procedure.form is None:
        return await gone_page(http, begin, slug, fields)
    consent = consents.opened(
        keys_of(http),
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
            return introduction_page(http, start, refused, fields, status=422)
        consent = consent_of(http, procedure, accepts=False)
    form, form_version, files = procedure.form, procedure.form_version, {}
    if draft is not None:
        form, form_version = draft.form, draft.form_version
        async with begin() as work:
            files = await attached_to(work.db, draft.id)
    try:
        values = drafts.kept(form, fields)
    except drafts.TooLong as problem:
        refused = Submission(form, fields).refused(problem)
        step = Step(procedure, form, form_version, consent, fields, fields, key)
        return form_page(http, step, refused, status=problem.status)
    return Step(
        procedure,
        form,
        form_version,
        consent,
        fields,
        values,
        key or new_id().hex,
        page=page_sent(form, fields),
        dropped=tuple(told(fields.get(forms.ASKED, ""), fields, without=form)),
        files=files,
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


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
