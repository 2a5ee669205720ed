"""Where a filing stands: what its page sent, the form it is of, and which page comes next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid5

from chassis import clock
from chassis.app import HTTPRequest
from chassis.forms import UNSEEN, Message, Submission, answered, asked_pages, pages_of, read
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.work import Begin
from contracts.forms import AnsweredSection, AttachedFile, Form
from services.requests.filing import forms
from services.requests.filing.consents import Consent
from services.requests.filing.queries import Beginning, DraftView, Offer, attached_to
from services.requests.web import person_of, portal_of, web


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


def first_step(http: HTTPRequest, start: Beginning, form: Form, fields: Mapping[str, str]) -> Step:
    """A filing that begins, nothing answered yet."""
    consent = consent_of(http, start.procedure, accepts=not start.accepted)
    return Step(
        start.procedure, form, start.procedure.form_version, consent, fields, {}, new_id().hex
    )


def page_sent(form: Form, fields: Mapping[str, str]) -> int:
    """The number of the page that was sent, among those of the form."""
    sent = fields.get(forms.PAGE, "")
    number = int(sent) if sent.isdecimal() and len(sent) < 4 else 0
    return min(number, len(pages_of(form)) - 1)


async def resumed(begin: Begin, step: Step, draft: DraftView) -> Step:
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


def onward_of(step: Step) -> int:
    """The next page on which something is asked; the same where this was the last."""
    return next((page for page in step.asked() if page > step.page), step.page)


def page_with(step: Step, section: str) -> int:
    """The page on which that section is asked, else the first."""
    for number, page in enumerate(pages_of(step.form)):
        if any(one.key == section for one in page.sections):
            return number
    return step.asked()[0]


def consent_of(http: HTTPRequest, procedure: Offer, *, accepts: bool) -> Consent:
    """What was accepted to begin this filing, and by whom."""
    return Consent(
        tenant=http.state.call.tenant,
        person_id=person_of(http),
        procedure_id=procedure.id,
        terms_version=portal_of(http).terms_version,
        begun_at=clock.now(),
        accepts=accepts,
    )


def sections_of(http: HTTPRequest, step: Step) -> tuple[AnsweredSection, ...]:
    """The answers as the recap shows them and the request keeps them."""
    languages = portal_of(http).languages
    return answered(step.form, step.values, languages, web.catalogues.translate, step.files)


def one_use(http: HTTPRequest, key: str) -> UUID:
    """The key of this filing: made of the person too, so that nobody's can meet another's."""
    return uuid5(person_of(http), key)


def keys_of(http: HTTPRequest) -> Keys:
    """The keys that seal what travels in the pages."""
    keys: Keys = http.app.state.runtime.keys
    return keys
