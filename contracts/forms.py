"""Forms as data: what is asked, and what was answered.

A form that a tenant publishes travels in events and is stored; the fixed forms of the services
are declared in code with the same classes. `chassis.forms` reads a submission of one,
`chassis.web` draws it. Within a version only optional attributes are added.
"""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from contracts.words import Text, Words

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""The name of a section or of a field, and of its input. Pages keep `_…` for names of their own."""

Kind = Literal[
    "text",
    "long_text",
    "email",
    "phone",
    "number",
    "date",
    "time",
    "choice",
    "choices",
    "yes_no",
    "address",
    "file",
    "password",
    "checkbox",
]

CHOOSING = ("choice", "choices")
"""Kinds whose answers are among `choices`: one of them, or several."""

TODAY = "today"
"""A bound of a date that moves with the calendar."""


class Frozen(BaseModel):
    """A value that is read from JSON and never changed; unknown attributes are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Choice(Frozen):
    """One of the answers to choose from."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    label: Text


class Condition(Frozen):
    """What must have been answered to an earlier question. One of the three is given.

    A question that is not asked itself counts as unanswered.
    """

    field: Key
    one_of: tuple[str, ...] = ()  # one of these was chosen; a box or yes/no: `yes`, `no`
    none_of: tuple[str, ...] = ()  # something was chosen, but none of these
    answered: bool | None = None  # was anything answered at all?

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if [bool(self.one_of), bool(self.none_of), self.answered is not None].count(True) != 1:
            raise ValueError(f"a condition on {self.field} asks one thing")
        return self


class Field(Frozen):
    """One question."""

    key: Key
    kind: Kind
    label: Text
    required: bool = True  # a checkbox: must it be ticked?
    hint: Text | None = None
    missing: Text | None = None  # what to do, said where a mandatory answer is lacking
    group: Text | None = None  # a heading over this field and its neighbours of the same group
    choices: tuple[Choice, ...] = ()
    widget: Literal["radios", "select"] = "radios"  # how a choice is drawn
    prefill: str | None = None  # the name of a known value, such as person.email
    autocomplete: str | None = None  # HTML's token, such as family-name
    placeholder: Text | None = None
    width: Literal["full", "half", "short"] = "full"  # hints the length of the answer
    max_length: int | None = None  # characters; none: what suits the kind
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    decimals: int = 0  # of a number: how many digits may follow the decimal sign
    min_length: int | None = None  # characters
    pattern: str | None = None  # that a text fits as a whole, as `chassis.forms.patterns` reads it
    pattern_words: Text | None = None  # what to do, said where it does not
    help: Text | None = None  # at more length than a hint, unfolded by who wants it
    earliest: str | None = None  # a date, 2018-04-05 or `today`; a time, 08:30
    latest: str | None = None
    max_files: int | None = None  # of a file question; none: what the engine allows
    shown_when: tuple[Condition, ...] = ()  # asked where all of these hold

    @model_validator(mode="after")
    def _bounds_are_of_its_kind(self) -> Self:
        for bound in (self.earliest, self.latest):
            if bound is None or (self.kind == "date" and bound == TODAY):
                continue
            if self.kind not in ("date", "time"):
                raise ValueError(f"{self.key}: only dates and times are early or late")
            (date if self.kind == "date" else time).fromisoformat(bound)
        return self

    @model_validator(mode="after")
    def _choices_belong_to_choices(self) -> Self:
        if (self.kind in CHOOSING) != bool(self.choices):
            raise ValueError(f"{self.key}: choices are given where, and only where, one chooses")
        values = [choice.value for choice in self.choices]
        if len(values) != len(set(values)):
            raise ValueError(f"{self.key}: two choices have one value")
        return self


class Repeats(Frozen):
    """How often a section's questions are answered: once for each entry."""

    minimum: int = 1
    maximum: int = 10
    entry: Text | None = None  # what an entry is called, such as `Device`; its number follows
    add: Text | None = None  # the words of the button that asks for one more

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if not 0 <= self.minimum <= self.maximum or self.maximum < 1:
            raise ValueError("a section repeats from its minimum to its maximum")
        return self


class Section(Frozen):
    """Questions that belong together."""

    key: Key
    title: Text
    subtitle: Text | None = None  # under the title, where the questions are asked
    recap_subtitle: Text | None = None  # under the title, where the answers are shown
    fields: tuple[Field, ...]
    shown_when: tuple[Condition, ...] = ()  # asked where all of these hold
    repeats: Repeats | None = None


class Page(Frozen):
    """Sections that are asked on one page."""

    title: Text | None = None
    sections: tuple[Key, ...]


class Form(Frozen):
    """All that is asked, in order. Keys are unique within it."""

    key: Key | None = None
    sections: tuple[Section, ...]
    pages: tuple[Page, ...] = ()  # none: as the engine cuts it

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        fields = [field.key for field in self.fields()]
        sections = [section.key for section in self.sections]
        for keys in (fields, sections):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                raise ValueError(f"keys stand for more than one thing: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _conditions_look_back(self) -> Self:
        earlier: dict[str, Field] = {}
        for section in self.sections:
            for condition in section.shown_when:
                _check(condition, earlier, section.key)
            within = dict(earlier)
            for field in section.fields:
                for condition in field.shown_when:
                    _check(condition, within, field.key)
                within[field.key] = field
            if section.repeats is None:  # of several entries, none is the one that is meant
                earlier = within
        return self

    @model_validator(mode="after")
    def _pages_hold_every_section(self) -> Self:
        paged = [key for page in self.pages for key in page.sections]
        if self.pages and paged != [section.key for section in self.sections]:
            raise ValueError("the pages hold every section, once and in its order")
        return self

    def fields(self) -> Iterator[Field]:
        """Every question, in order."""
        for section in self.sections:
            yield from section.fields

    def field(self, key: str) -> Field:
        """The question of that key. Raises KeyError."""
        for field in self.fields():
            if field.key == key:
                return field
        raise KeyError(key)


def allowed_in_conditions(field: Field) -> tuple[str, ...]:
    """The answers that a condition may name; none where it can only ask whether there is one."""
    if field.kind in CHOOSING:
        return tuple(choice.value for choice in field.choices)
    return {"yes_no": ("yes", "no"), "checkbox": ("yes",)}.get(field.kind, ())


def _check(condition: Condition, earlier: dict[str, Field], key: str) -> None:
    """Raise ValueError unless the condition is on an earlier question and answers that it takes."""
    field = earlier.get(condition.field)
    if field is None:
        raise ValueError(f"{key}: {condition.field} is not asked before it")
    if field.kind in ("password", "file"):
        raise ValueError(f"{key}: nothing depends on the {field.kind} {condition.field}")
    for value in (*condition.one_of, *condition.none_of):
        if value not in allowed_in_conditions(field):
            raise ValueError(f"{key}: {value} is no answer to {condition.field}")


class AttachedFile(Frozen):
    """A file that was attached as an answer. Its bytes are kept by the service that took it."""

    id: UUID
    name: str
    size_bytes: int
    media_type: str


class AnsweredField(Frozen):
    """A question and what was answered, readable without the form that asked."""

    key: str
    label: Words
    value: str
    display: Words | str  # how to show it: by language, or as it is in any
    files: tuple[AttachedFile, ...] = ()


class AnsweredSection(Frozen):
    """Answers that belong together. Questions left open and passwords are not among them."""

    key: str
    title: Words
    subtitle: Words | None = None
    answers: tuple[AnsweredField, ...]
