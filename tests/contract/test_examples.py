"""Every event class has a golden example, and every example ever published is still read.

`contracts/examples/<source>.<Type>.v<N>.json` holds an event's data as it is written now. When an
optional field comes, the file as it was stays beside it as `<source>.<Type>.v<N>.<what>.json`:
nobody writes it any more, but outboxes, inboxes and backups hold such events.
"""

import json
from dataclasses import dataclass
from importlib import import_module, resources
from importlib.resources.abc import Traversable
from pkgutil import iter_modules
from uuid import UUID

import pytest
from pydantic import BaseModel

import contracts
from contracts.event import EVENTS, Envelope, Event

EXAMPLES = resources.files("contracts") / "examples"
ENVELOPE = "envelope.json"


@dataclass(frozen=True)
class Golden:
    """An example, and the class that must read it."""

    event: type[Event]
    json: str


def published_classes() -> list[type[Event]]:
    """The event classes of every module of `contracts`."""
    for module in iter_modules(contracts.__path__, "contracts."):
        import_module(module.name)
    return [event for event in EVENTS.values() if event.__module__.startswith("contracts.")]


def example_files() -> list[Traversable]:
    """The files that hold an event's data."""
    files = [one for one in EXAMPLES.iterdir() if one.name.endswith(".json")]
    events = (one for one in files if not one.name.startswith("envelope."))
    return sorted(events, key=lambda one: one.name)


CLASSES = sorted(published_classes(), key=lambda event: event.type_name())
FILES = example_files()


def class_of(file: Traversable) -> type[Event] | None:
    """The class that an example's name speaks of."""
    return EVENTS.get(".".join(file.name.split(".")[:3]))


GOLDENS = [
    pytest.param(Golden(event, file.read_text("utf-8")), id=file.name)
    for file in FILES
    if (event := class_of(file)) is not None
]


def test_there_are_classes_to_find() -> None:
    assert {event.source for event in CLASSES} >= {"identity", "catalog", "requests"}


@pytest.mark.parametrize("event", CLASSES, ids=lambda event: event.type_name())
def test_every_event_class_has_an_example(event: type[Event]) -> None:
    assert (EXAMPLES / f"{event.type_name()}.json").is_file()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_example_has_a_class(file: Traversable) -> None:
    assert class_of(file) is not None


@pytest.mark.parametrize("golden", GOLDENS)
def test_every_example_ever_published_is_still_read(golden: Golden) -> None:
    event = golden.event.model_validate_json(golden.json)
    assert isinstance(event.subject_id, UUID)


@pytest.mark.parametrize("event", CLASSES, ids=lambda event: event.type_name())
def test_the_current_example_is_what_is_written(event: type[Event]) -> None:
    written = json.loads((EXAMPLES / f"{event.type_name()}.json").read_text("utf-8"))
    assert event.model_validate(written).model_dump(mode="json") == written


@pytest.mark.parametrize("event", CLASSES, ids=lambda event: event.type_name())
def test_the_current_example_fills_every_field_once(event: type[Event]) -> None:
    """So that a changed kind of any field is noticed, those within others included."""
    text = (EXAMPLES / f"{event.type_name()}.json").read_text("utf-8")
    read = event.model_validate_json(text)
    filled: set[tuple[type[BaseModel], str]] = set()
    _note_filled(read, filled)
    kinds = {type(read), *(kind for kind, _ in filled)}
    lacking = {(kind, name) for kind in kinds for name in kind.model_fields} - filled
    assert {(kind.__name__, name) for kind, name in lacking} <= NEVER_TOGETHER


NEVER_TOGETHER = {
    ("RequestSaved", "submission_id"),  # filed by a person, or by a registration
    ("MailAccepted", "submission_id"),  # about a request, or a registration
    ("MailRefused", "submission_id"),
    ("Form", "key"),  # of fixed forms, which don't travel
    ("AnsweredField", "files"),  # a registration attaches none, and requests travel without answers
}


@pytest.mark.parametrize("golden", GOLDENS)
def test_a_reader_ignores_what_it_does_not_know(golden: Golden) -> None:
    later = json.loads(golden.json) | {"told_only_by_a_later_release": {"at": 1}}
    assert golden.event.model_validate(later) == golden.event.model_validate_json(golden.json)


def test_the_envelope_is_read_and_written_as_ever() -> None:
    written = json.loads((EXAMPLES / ENVELOPE).read_text("utf-8"))
    envelope = Envelope.model_validate(written)
    assert envelope.model_dump(mode="json") == written
    assert envelope.event().subject_id == envelope.subject
    assert Envelope.model_validate(written | {"told_only_later": 1}) == envelope


def _note_filled(value: object, filled: set[tuple[type[BaseModel], str]]) -> None:
    """The fields of models that hold something, wherever they stand in the value."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            held = getattr(value, name)
            if held not in (None, (), {}, ""):
                filled.add((type(value), name))
            _note_filled(held, filled)
    elif isinstance(value, dict):
        for one in value.values():
            _note_filled(one, filled)
    elif isinstance(value, tuple):
        for one in value:
            _note_filled(one, filled)
