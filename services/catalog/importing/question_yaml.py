"""A question in a catalogue's YAML: its kind, what suits that kind, and when it is asked."""

import re
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, StringConstraints, model_validator
from pydantic import Field as Meaning

from chassis.forms import patterns
from contracts.forms import CHOOSING, TODAY
from services.catalog.importing.written import KeyOf, WordsOf, Written, refused

KNOWN_VALUES = (
    "person.title",
    "person.first_name",
    "person.birth_name",
    "person.email",
    "person.phone",
    "organisation.name",
    "organisation.city",
    "organisation.postcode",
    "organisation.address",
)
"""What a form may be filled in with before anything is typed: facts of the signed-in person."""


def _known(name: str) -> str:
    if name not in KNOWN_VALUES:
        raise refused(f"Nothing is known as `{name}`.", f"Use one of: {', '.join(KNOWN_VALUES)}.")
    return name


def _several(value: Any) -> Any:
    """One value stands for a list of it."""
    return value if isinstance(value, list) else [value]


Value = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class WrittenChoice(Written):
    """One of the answers to choose from."""

    value: Value = Meaning(description="what is kept when it is chosen, such as `blocked`")
    label: WordsOf = Meaning(description="what people read")


Values = Annotated[
    tuple[Value, ...],
    BeforeValidator(_several, json_schema_input_type=Value | tuple[Value, ...]),
]


class WrittenCondition(Written):
    """What must have been answered to an earlier question."""

    field: KeyOf = Meaning(description="the key of a question that is asked before")
    one_of: Values = Meaning((), alias="is", description="asked if one of these was chosen")
    none_of: Values = Meaning(
        (), alias="is_not", description="asked if something was chosen, but none of these"
    )
    answered: bool | None = Meaning(None, description="asked if it was answered, or was not")

    @model_validator(mode="after")
    def _says_one_thing(self) -> "WrittenCondition":
        said = [bool(self.one_of), bool(self.none_of), self.answered is not None].count(True)
        if said != 1:
            raise refused(
                f"The condition on `{self.field}` says {'nothing' if not said else 'two things'}.",
                "Write one of `is`, `is_not` and `answered`.",
            )
        return self


def _conditions(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Conditions = Annotated[
    tuple[WrittenCondition, ...],
    BeforeValidator(
        _conditions, json_schema_input_type=WrittenCondition | tuple[WrittenCondition, ...]
    ),
]


KindOf = Literal[
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
    "checkbox",
]

SUITS: dict[str, tuple[KindOf, ...]] = {
    "min_length": ("text", "long_text"),
    "max_length": ("text", "long_text", "email", "phone"),
    "pattern": ("text",),
    "pattern_words": ("text",),
    "earliest": ("date", "time"),
    "latest": ("date", "time"),
    "max_files": ("file",),
    "placeholder": ("text", "long_text", "email", "phone", "number"),
}
"""What only some kinds of questions have; choices and the bounds of numbers are told apart."""


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ae" else f"a {kind}"


class WrittenField(Written):
    """One question."""

    key: KeyOf = Meaning(description="its name within the form, such as `happened`")
    kind: KindOf = Meaning(description="what kind of answer it takes")
    label: WordsOf = Meaning(description="the question as people read it")
    required: bool = Meaning(True, description="must it be answered? A checkbox: be ticked?")
    hint: WordsOf | None = Meaning(None, description="a line of help, always in sight")
    help: WordsOf | None = Meaning(None, description="more help, unfolded by who wants it")
    missing: WordsOf | None = Meaning(None, description="said where a mandatory answer is lacking")
    group: WordsOf | None = Meaning(None, description="a heading over neighbours of one group")
    choices: tuple[WrittenChoice, ...] = Meaning((), description="the answers to choose from")
    widget: Literal["radios", "select"] = Meaning("radios", description="how a choice is drawn")
    prefill: Annotated[str, AfterValidator(_known)] | None = Meaning(
        None, description="what it is filled in with", json_schema_extra={"enum": [*KNOWN_VALUES]}
    )
    autocomplete: Annotated[str, StringConstraints(pattern=r"^[a-z0-9 -]+$")] | None = Meaning(
        None, description="HTML's word for it, such as `email`"
    )
    placeholder: WordsOf | None = Meaning(None, description="an example within the input")
    width: Literal["full", "half", "short"] = Meaning("full", description="of its input")
    min_length: Annotated[int, Meaning(ge=1, le=20_000)] | None = Meaning(
        None, description="characters at the least"
    )
    max_length: Annotated[int, Meaning(ge=1, le=20_000)] | None = Meaning(
        None, description="characters at the most"
    )
    pattern: str | None = Meaning(
        None, description="what a text fits as a whole, such as `[A-Z]{2}-\\d{4}`"
    )
    pattern_words: WordsOf | None = Meaning(
        None, description="what to do, said where a text does not fit the pattern"
    )
    minimum: Decimal | None = Meaning(None, description="of a number")
    maximum: Decimal | None = Meaning(None, description="of a number")
    decimals: Annotated[int, Meaning(ge=0, le=6)] = Meaning(
        0, description="digits that may follow the decimal sign"
    )
    earliest: str | None = Meaning(
        None, description="the first date taken, 2018-04-05 or `today`; the first time, 08:30"
    )
    latest: str | None = Meaning(None, description="the last date or time taken")
    max_files: Annotated[int, Meaning(ge=1, le=10)] | None = Meaning(
        None, description="files at the most"
    )
    shown_when: Conditions = Meaning(
        (), description="asked only where this holds of earlier answers; of a list, all of it"
    )

    @model_validator(mode="after")
    def _suits_its_kind(self) -> "WrittenField":
        self._check_choices()
        if self.kind != "number" and (
            self.decimals or self.minimum is not None or self.maximum is not None
        ):
            raise refused(
                f"`{self.key}` is {_a(self.kind)}, and has bounds of a number.",
                "Write `kind: number`, or take `minimum`, `maximum` and `decimals` out.",
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise refused(
                f"The least that `{self.key}` takes is more than the most.",
                "Exchange `minimum` and `maximum`.",
            )
        for name, kinds in SUITS.items():
            if getattr(self, name) is not None and self.kind not in kinds:
                suited = " or ".join(f"`kind: {kind}`" for kind in kinds)
                raise refused(
                    f"`{self.key}` is {_a(self.kind)}, and has `{name}`.",
                    f"Write {suited}, or take `{name}` out.",
                )
        self._check_lengths_and_pattern()
        self._check_days_and_times()
        if self.prefill is not None:
            self._check_prefill(self.prefill)
        return self

    def _check_choices(self) -> None:
        if self.kind == "choice" and not self.choices:
            raise refused(
                f"`{self.key}` is a choice without choices.",
                "Add `choices:`, a list of `{value: …, label: …}`.",
            )
        if self.kind == "choices" and not self.choices:
            raise refused(
                f"`{self.key}` lets choose several, and has no choices.",
                "Add `choices:`, a list of `{value: …, label: …}`.",
            )
        if self.kind not in CHOOSING and (self.choices or self.widget != "radios"):
            raise refused(
                f"`{self.key}` is {_a(self.kind)}, and has choices.",
                "Write `kind: choice`, or take `choices` and `widget` out.",
            )
        if self.kind == "choices" and self.widget != "radios":
            raise refused(
                f"`{self.key}` lets choose several, which is always drawn as boxes.",
                "Take `widget` out.",
            )
        values = [choice.value for choice in self.choices]
        for value in values:
            if values.count(value) > 1:
                raise refused(
                    f"Two choices of `{self.key}` have the value `{value}`.",
                    "Give each a value of its own.",
                )

    def _check_lengths_and_pattern(self) -> None:
        if self.min_length and self.max_length and self.min_length > self.max_length:
            raise refused(
                f"The shortest that `{self.key}` takes is longer than the longest.",
                "Exchange `min_length` and `max_length`.",
            )
        if self.pattern is None:
            if self.pattern_words is not None:
                raise refused(
                    f"`{self.key}` has words for a pattern, and no pattern.",
                    "Add `pattern:`, or take `pattern_words` out.",
                )
            return
        if self.pattern_words is None:
            raise refused(
                f"`{self.key}` has a pattern, and no words for who misses it.",
                "Add `pattern_words:`, what to do, with an example.",
            )
        try:
            patterns.check(self.pattern)
        except patterns.BadPattern as error:
            raise refused(
                f"The pattern of `{self.key}` can't be read. {error}",
                "Use letters, `[a-z]`, `\\d`, `( )`, `|`, `?`, `*`, `+` and `{2,5}`.",
            ) from error

    def _check_days_and_times(self) -> None:
        for name in ("earliest", "latest"):
            bound = getattr(self, name)
            if bound is None or (self.kind == "date" and bound == TODAY):
                continue
            pattern = r"[0-9]{4}-[0-9]{2}-[0-9]{2}" if self.kind == "date" else r"[0-9]{2}:[0-9]{2}"
            read = date.fromisoformat if self.kind == "date" else time.fromisoformat
            try:
                if re.fullmatch(pattern, bound) is None:
                    raise ValueError
                read(bound)
            except ValueError:
                raise refused(
                    f"`{name}` of `{self.key}` is no {self.kind}: `{bound}`.",
                    "Write it as 2018-04-05, or `today`."
                    if self.kind == "date"
                    else "Write it as 08:30.",
                ) from None
        if self.earliest and self.latest and TODAY not in (self.earliest, self.latest):
            if self.earliest > self.latest:
                raise refused(
                    f"The earliest that `{self.key}` takes is later than the latest.",
                    "Exchange `earliest` and `latest`.",
                )

    def _check_prefill(self, prefill: str) -> None:
        if (self.kind == "address") != (prefill == "organisation.address"):
            raise refused(
                f"`{self.key}` is {_a(self.kind)}, and is filled in with `{prefill}`.",
                "Only addresses are filled in with `organisation.address`, and with nothing else.",
            )
