"""Saving a draft: whatever was typed so far, right or wrong. The others are told of few savings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete

from chassis.ids import new_id
from chassis.work import UnitOfWork
from contracts.forms import Form
from contracts.words import Words
from services.requests.domain.drafts import KEPT_FOR, is_another_day
from services.requests.filing.authors import hold_author
from services.requests.filing.lapse_draft import LapseDraft
from services.requests.filing.queries import saved_under
from services.requests.filing.telling import tell_kept
from services.requests.tables import Attachment, Draft


@dataclass(frozen=True)
class Entry:
    """What a page of a filing holds, and which form asked."""

    key: str  # as the pages carry it
    one_use_key: UUID  # what the request will be saved under
    procedure_id: UUID
    slug: str
    title: Words
    form_version: int
    form: Form
    values: Mapping[str, str]
    timezone: str  # the tenant's: whoever shows drafts says on which day of its they were saved
    page: int = 0


async def save_draft(work: UnitOfWork, entry: Entry) -> UUID | None:
    """Keep it. Answers the draft's id, or None: what it would be the draft of was sent already.

    A filing of the same procedure that was begun apart takes the place of the one before; who types
    on in a page of a draft that was thrown away takes it back. Raises SignInRequired for an account
    that is gone.
    """
    person_id, account_id = await hold_author(work)
    if await saved_under(work.db, entry.one_use_key) is not None:
        return None
    draft = await work.find(
        Draft, Draft.person_id == person_id, Draft.procedure_id == entry.procedure_id
    )
    is_new = draft is None
    tells = draft is None or _tells(draft, entry, work.now)
    if draft is None:
        draft = Draft(
            id=new_id(),
            person_id=person_id,
            account_id=account_id,
            procedure_id=entry.procedure_id,
            begun_at=work.now,
        )
    elif draft.key != entry.key:
        await work.db.execute(delete(Attachment).where(Attachment.draft_id == draft.id))
    draft.slug = entry.slug
    draft.procedure_title = entry.title
    draft.form_version = entry.form_version
    draft.form = entry.form.model_dump(mode="json")
    draft.values = dict(entry.values)
    draft.page = entry.page
    draft.key = entry.key
    draft.saved_at = work.now
    draft.discarded_at = None
    if is_new:
        work.add(draft)
        await work.later(LapseDraft(draft_id=draft.id), work.now + KEPT_FOR)
    if tells:
        tell_kept(work, draft)
    return draft.id


def _tells(draft: Draft, entry: Entry, now: datetime) -> bool:
    """Is there something in this that others are told? It is saved each second as one types."""
    return (
        draft.version == 0  # from before drafts were told of
        or draft.discarded_at is not None
        or draft.key != entry.key
        or draft.form_version != entry.form_version
        or is_another_day(draft.saved_at, now, entry.timezone)
    )
