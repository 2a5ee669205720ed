"""Forms as data: what is asked, and what was answered.

A form that a tenant publishes travels in events and is stored; the fixed forms of the services
are declared in code with the same classes. `chassis.forms` reads a submission of one,
`chassis.web` draws it. Within a version only optional attributes are added.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from contracts.words import Text, Words

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""The name of a section or of a field, and of its input. Pages keep `_…` for names of their own."""

Kind = Literal[
    "text", "long_text", "email", "phone", "number", "date", "choice", "password", "checkbox"
]


class Frozen(BaseModel):
    """A value that is read from JSON and never changed; unknown attributes are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Choice(Frozen):
    """One of the answers to choose from."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    label: Text


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

    @model_validator(mode="after")
    def _choices_belong_to_choices(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"{self.key}: choices are given where, and only where, one chooses")
        values = [choice.value for choice in self.choices]
        if len(values) != len(set(values)):
            raise ValueError(f"{self.key}: two choices have one value")
        return self


class Section(Frozen):
    """Questions that belong together."""

    key: Key
    title: Text
    subtitle: Text | None = None  # under the title, where the questions are asked
    recap_subtitle: Text | None = None  # under the title, where the answers are shown
    fields: tuple[Field, ...]


class Form(Frozen):
    """All that is asked, in order. Keys are unique within it."""

    key: Key | None = None
    sections: tuple[Section, ...]

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        fields = [field.key for field in self.fields()]
        sections = [section.key for section in self.sections]
        for keys in (fields, sections):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                raise ValueError(f"keys stand for more than one thing: {', '.join(twice)}")
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


class AnsweredField(Frozen):
    """A question and what was answered, readable without the form that asked."""

    key: str
    label: Words
    value: str
    display: Words | str  # how to show it: by language, or as it is in any


class AnsweredSection(Frozen):
    """Answers that belong together. Questions left open and passwords are not among them."""

    key: str
    title: Words
    subtitle: Words | None = None
    answers: tuple[AnsweredField, ...]
