"""The shape of a catalogue's YAML, as pydantic models: what may be written, and what it means.

language: fr                     # of the texts that are given without one
shared:                          # sections that several forms use
  contact:
    title: Pour vous recontacter
    fields: [ … ]
categories:
  - slug: ypolice
    title: YPolice               # or, in several languages: {fr: YPolice, en: YPolice}
    about: gestion des activités de la police
    procedures:
      - slug: anomalie-logiciel-ypolice
        title: Anomalie - logiciel YPolice
        description: Signalez un dysfonctionnement du logiciel.
        minutes: 8
        opens: form              # or registration, which has no sections
        sections:
          - use: contact
          - key: anomaly
            title: L’anomalie
            fields:
              - {key: happened, kind: long_text, label: Ce qui s’est passé}
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    PlainValidator,
    StringConstraints,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic import Field as Meaning
from pydantic_core import PydanticCustomError

from contracts.words import Words

KNOWN_VALUES = (
    "person.title",
    "person.first_name",
    "person.birth_name",
    "person.email",
    "person.phone",
    "organisation.name",
    "organisation.city",
    "organisation.postcode",
)
"""What a form may be filled in with before anything is typed: facts of the signed-in person."""

LANGUAGE = r"[a-z]{2,3}(-[A-Z]{2})?"


def refused(what: str, mend: str) -> PydanticCustomError:
    """A mistake in a sentence, and how to mend it in another."""
    return PydanticCustomError("guichet", "{what}", {"what": what, "mend": mend})


def _words(value: Any, info: ValidationInfo) -> Words:
    """A text in the file's language, or by language with that one among them."""
    language = info.context["language"] if info.context else None
    by_language = value if isinstance(value, dict) else {language or "en": value}
    for name, text in by_language.items():
        if not re.fullmatch(LANGUAGE, str(name)):
            raise refused(
                f"`{name}` is no language.", "Write a code such as `fr`, `en` or `pt-BR`."
            )
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise refused("This is no text.", "Write it in words, between quotes if need be.")
        if not str(text).strip():
            raise refused("The text is empty.", "Write it, or take the line out.")
    if language and language not in by_language:
        raise refused(
            f"The text is not given in `{language}`, the file's language.", f"Add `{language}:`."
        )
    return {str(name): str(text).strip() for name, text in by_language.items()}


def _known(name: str) -> str:
    if name not in KNOWN_VALUES:
        raise refused(f"Nothing is known as `{name}`.", f"Use one of: {', '.join(KNOWN_VALUES)}.")
    return name


WordsOf = Annotated[Words, PlainValidator(_words)]
Slug = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=1, max_length=80)
]
KeyOf = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Written(BaseModel):
    """Something written in the file: no key that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class WrittenChoice(Written):
    """One of the answers to choose from."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Meaning(
        description="what is kept when it is chosen, such as `blocked`"
    )
    label: WordsOf = Meaning(description="what people read")


class WrittenField(Written):
    """One question."""

    key: KeyOf = Meaning(description="its name within the form, such as `happened`")
    kind: Literal["text", "long_text", "email", "phone", "number", "date", "choice", "checkbox"] = (
        Meaning(description="what kind of answer it takes")
    )
    label: WordsOf = Meaning(description="the question as people read it")
    required: bool = True
    hint: WordsOf | None = None
    missing: WordsOf | None = None
    group: WordsOf | None = None
    choices: tuple[WrittenChoice, ...] = ()
    widget: Literal["radios", "select"] = "radios"
    prefill: Annotated[str, AfterValidator(_known)] | None = None
    autocomplete: Annotated[str, StringConstraints(pattern=r"^[a-z0-9 -]+$")] | None = None
    placeholder: WordsOf | None = None
    width: Literal["full", "half", "short"] = "full"
    max_length: Annotated[int, Meaning(ge=1, le=20_000)] | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    decimals: Annotated[int, Meaning(ge=0, le=6)] = 0

    @model_validator(mode="after")
    def _suits_its_kind(self) -> "WrittenField":
        if self.kind == "choice" and not self.choices:
            raise refused(
                f"`{self.key}` is a choice without choices.",
                "Add `choices:`, a list of `{value: …, label: …}`.",
            )
        if self.kind != "choice" and (self.choices or self.widget != "radios"):
            raise refused(
                f"`{self.key}` is a {self.kind}, and has choices.",
                "Write `kind: choice`, or take `choices` and `widget` out.",
            )
        if self.kind != "number" and (
            self.decimals or self.minimum is not None or self.maximum is not None
        ):
            raise refused(
                f"`{self.key}` is a {self.kind}, and has bounds of a number.",
                "Write `kind: number`, or take `minimum`, `maximum` and `decimals` out.",
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise refused(
                f"The least that `{self.key}` takes is more than the most.",
                "Exchange `minimum` and `maximum`.",
            )
        values = [choice.value for choice in self.choices]
        for value in values:
            if values.count(value) > 1:
                raise refused(
                    f"Two choices of `{self.key}` have the value `{value}`.",
                    "Give each a value of its own.",
                )
        return self


class WrittenShared(Written):
    """A section that forms use by its name."""

    title: WordsOf = Meaning(description="the heading over its questions")
    subtitle: WordsOf | None = None
    recap_subtitle: WordsOf | None = None
    fields: tuple[WrittenField, ...] = Meaning(min_length=1, description="a list of questions")


class WrittenSection(WrittenShared):
    """A section of one form."""

    key: KeyOf = Meaning(description="its name within the form, such as `contact`")


class WrittenUse(Written):
    """A shared section, in its place in a form."""

    use: str


def _section_or_use(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    return "use of a shared section" if "use" in value else "section of its own"


AnySection = Annotated[
    Annotated[WrittenUse, Tag("use of a shared section")]
    | Annotated[WrittenSection, Tag("section of its own")],
    Discriminator(_section_or_use),
]


class WrittenProcedure(Written):
    """A procedure, with its form unless it opens the registration."""

    slug: Slug = Meaning(description="its name in addresses, such as `anomalie-logiciel`")
    title: WordsOf = Meaning(description="its name as people read it")
    description: WordsOf = Meaning(description="a sentence or two on what it is for")
    minutes: Annotated[int, Meaning(ge=1, le=240)] = Meaning(
        description="how long it takes, in whole minutes"
    )
    opens: Literal["form", "registration"] = "form"
    sections: tuple[AnySection, ...] = ()

    @model_validator(mode="after")
    def _has_what_it_opens(self) -> "WrittenProcedure":
        if self.opens == "form" and not self.sections:
            raise refused(
                f"`{self.slug}` opens a form, and has no sections.",
                "Add `sections:`, or write `opens: registration`.",
            )
        if self.opens == "registration" and self.sections:
            raise refused(
                f"`{self.slug}` opens the registration, whose questions are fixed.",
                "Take `sections` out.",
            )
        return self


class WrittenCategory(Written):
    """A category with its procedures."""

    slug: Slug = Meaning(description="its name in addresses, such as `stationnement`")
    title: WordsOf = Meaning(description="its name as people read it")
    about: WordsOf | None = None
    procedures: tuple[WrittenProcedure, ...] = Meaning(
        min_length=1, description="a list of what it offers"
    )


class WrittenCatalogue(Written):
    """The whole file."""

    language: Annotated[str, StringConstraints(pattern=f"^{LANGUAGE}$")] = Meaning(
        description="the language of the texts that are given without one, such as `fr`"
    )
    shared: dict[KeyOf, WrittenShared] = Meaning(default_factory=dict)
    categories: tuple[WrittenCategory, ...] = Meaning(description="a list, in the order shown")
