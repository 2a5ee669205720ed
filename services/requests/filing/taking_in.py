"""Taking in what a page brought: its answers into the draft, its files beside them.

Bytes come first and rows after, in the transaction that saves the draft: what a crash leaves is
bytes without a row, which are swept, and never a row without its bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from chassis.files import Files, NoRoom, safe_name
from chassis.forms import Message
from chassis.ids import new_id
from chassis.problems import Problem
from chassis.web.uploads import ReceivedFile
from chassis.work import Begin
from contracts.forms import Form
from services.requests.domain import attachments
from services.requests.filing.attach_files import NewFile, attach_files
from services.requests.filing.inspecting import Inspected, inspected
from services.requests.filing.remove_file import remove_file
from services.requests.filing.save_draft import Entry, save_draft


@dataclass(frozen=True)
class TakenIn:
    """What is kept now, and what was refused of it."""

    draft_id: UUID | None  # none: the request was sent meanwhile
    values: Mapping[str, str]
    refused: Mapping[str, Message] = field(default_factory=dict)  # by the file's input


@dataclass(frozen=True)
class _Good:
    input: str
    id: UUID
    file: Inspected


async def take_in(
    begin: Begin,
    store: Files,
    tenant: UUID,
    entry: Entry,
    files: Sequence[ReceivedFile],
    without: UUID | None = None,
) -> TakenIn:
    """Keep the answers and the files, but for the one that is to be taken off."""
    refused: dict[str, Message] = {}
    good = [
        one
        for file in files
        if _is_asked(entry.form, file.input)
        if (one := await _looked_into(file, refused)) is not None
    ]
    kept: list[_Good] = []
    for one in good:
        try:
            await store.keep(tenant, one.id, one.file.path)
            kept.append(one)
        except NoRoom as problem:
            refused[one.input] = _message(problem)
    while True:
        try:
            return replace(await _kept(begin, entry, kept, without), refused=refused)
        except attachments.TooMuchTogether as problem:
            last = kept.pop()
            await store.remove(tenant, last.id)
            refused[last.input] = _message(problem)


async def _kept(
    begin: Begin, entry: Entry, files: Sequence[_Good], without: UUID | None
) -> TakenIn:
    values = dict(entry.values)
    for one in files:
        before = values.get(one.input, "")
        values[one.input] = f"{before}\n{one.id}" if before else str(one.id)
    async with begin() as work:
        draft_id = await save_draft(work, replace(entry, values=values))
        if draft_id is not None:
            if without is not None:
                await remove_file(work, draft_id, without)
            await attach_files(
                work,
                draft_id,
                [
                    NewFile(one.id, one.file.name, one.file.media_type, one.file.size_bytes)
                    for one in files
                ],
            )
    return TakenIn(draft_id, values)


async def _looked_into(file: ReceivedFile, refused: dict[str, Message]) -> _Good | None:
    try:
        _raise_refusal(file)
        return _Good(file.input, new_id(), await inspected(file.path, file.name))
    except (attachments.Refused, NoRoom) as problem:
        refused[file.input] = _message(problem)
        return None


def _raise_refusal(file: ReceivedFile) -> None:
    """What was found out while the file came."""
    match file.refusal:
        case "too_large":
            raise attachments.TooLarge(name=safe_name(file.name))
        case "too_many":
            raise attachments.TooManyAtOnce(name=safe_name(file.name))
        case "gone":
            raise attachments.Gone(name=safe_name(file.name))
        case "no_room":
            raise NoRoom


def _message(problem: Problem) -> Message:
    return Message(problem.title, problem.facts)


def _is_asked(form: Form, input: str) -> bool:
    """Is this the input of a question for files, alone or in an entry?"""
    keys = {one.key for one in form.fields() if one.kind == "file"}
    return input.rpartition(".")[2] in keys


def without_file(values: Mapping[str, str], id: str) -> dict[str, str]:
    """The answers without that file among them."""
    return {
        name: "\n".join(line for line in value.split("\n") if line != id) if id in value else value
        for name, value in values.items()
    }
