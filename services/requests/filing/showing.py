"""The pages of filing as they are shown: introduction, form, recap, and where it came to an end."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from fastapi.responses import JSONResponse
from starlette.responses import Response

from chassis import clock
from chassis.app import HTTPRequest
from chassis.forms import Submission, hidden_answers
from chassis.problems import NotFound
from chassis.web import i18n
from chassis.web.errors import wants_json
from chassis.web.i18n import current_language
from chassis.web.pages import see_other
from chassis.words import N_
from chassis.work import Begin
from services.requests.domain import drafts
from services.requests.domain.answers import asked, fingerprint, told
from services.requests.filing import consents, forms
from services.requests.filing.queries import Beginning, draft_of
from services.requests.filing.step import Step, keys_of, sections_of
from services.requests.web import person_of, portal_of, web


def introduction_page(
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


def draft_saved(http: HTTPRequest, step: Step) -> Response:
    """That it is kept: a word for the script that asked, the same page again without one."""
    if wants_json(http):
        return JSONResponse({"said": _saved_line(step.saved_at)})
    return form_page(http, step)


def _saved_line(saved_at: datetime | None) -> str:
    """When the draft was saved, in words; nothing where there is none."""
    if saved_at is None:
        return ""
    if i18n.format_date(saved_at) == i18n.format_date(clock.now()):
        facts = {"time": i18n.format_time(saved_at)}
        return web.catalogues.say(N_("Draft saved at %(time)s")) % facts
    facts = {"moment": i18n.format_datetime(saved_at)}
    return web.catalogues.say(N_("Draft saved: %(moment)s")) % facts


def form_page(
    http: HTTPRequest, step: Step, submission: Submission | None = None, *, status: int = 200
) -> Response:
    """A page of the form, as it is filled."""
    asked_here = step.asked()
    return web.render(
        http,
        "filing/form.html",
        status=status,
        procedure=step.procedure,
        form=submission or step.shown(),
        consent=consents.sealed(keys_of(http), step.consent),
        asked=asked(step.form, current_language.get()),
        dropped=step.dropped,
        key=step.key,
        saved=_saved_line(step.saved_at),
        page=step.page,
        step=asked_here.index(step.page) + 1 if step.page in asked_here else 1,
        steps=len(asked_here),
        takes_files=any(one.kind == "file" for one in step.form.fields()),
    )


def recap_page(
    http: HTTPRequest, step: Step, known: Mapping[str, str], *, changed: bool
) -> Response:
    """All answers, to be saved; `changed` where they are not what was shown before."""
    sections = sections_of(http, step)
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
        consent=consents.sealed(keys_of(http), step.consent),
        asked=asked(step.form, current_language.get()),
        seen=fingerprint(sections),
        key=step.key,
        page=step.page,
    )


async def gone_page(
    http: HTTPRequest, begin: Begin, slug: str, fields: Mapping[str, str]
) -> Response:
    """The procedure was retired meanwhile: what was typed is shown, to be kept by its author."""
    answers = told(fields.get(forms.ASKED, ""), fields)
    kept = {name: value for name, value in fields.items() if answers and name != forms.THEN}
    if not answers:
        async with begin() as work:
            draft = await draft_of(work.db, person_of(http), slug=slug)
        if draft is not None:
            answers = told(asked(draft.form, current_language.get()), draft.values)
    if not answers:
        raise NotFound
    return web.render(
        http, "filing/gone.html", status=410, answers=answers, kept_fields=kept, slug=slug
    )


def saved_page(http: HTTPRequest, request_id: UUID) -> Response:
    """On to the request that was saved."""
    return see_other(http, "request_page", {"saved": "1"}, request_id=request_id)
