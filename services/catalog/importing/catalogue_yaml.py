"""The shape of a catalogue's YAML, as pydantic models: what may be written, and what it means.

language: fr                     # of the texts that are given without one
languages: [fr, en]              # that every text should have; what lacks is listed
shared:                          # sections that several forms use
  contact:
    title: Pour vous recontacter
    fields: [ … ]
categories:
  - slug: ypolice
    title: YPolice               # or, in several languages: {fr: YPolice, en: YPolice}
    about: gestion des activités de la police
    icon: shield                 # else the title's first letters stand there
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
              - {key: blocked, kind: yes_no, label: Le travail est-il arrêté ?}
              - key: call_at
                kind: time
                label: À quelle heure vous rappeler ?
                shown_when: {field: blocked, is: yes}     # or a list, all of which must hold
          - key: devices
            title: Les appareils
            repeats: {min: 1, max: 5, entry: Appareil, add: Ajouter un appareil}
            fields: [ … ]
        pages:                   # else one a section, where there are over eight questions
          - {title: Le problème, sections: [contact, anomaly]}
          - {sections: [devices]}
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator
from pydantic import Field as Meaning

from services.catalog.domain.catalogue import Icon
from services.catalog.importing.question_yaml import Conditions, WrittenField
from services.catalog.importing.written import (
    KeyOf,
    LanguageOf,
    Slug,
    WordsOf,
    Written,
    refused,
)


class WrittenRepeats(Written):
    """How often a section is answered: once for each entry."""

    minimum: Annotated[int, Meaning(ge=0, le=20)] = Meaning(
        1, alias="min", description="entries there are at the least"
    )
    maximum: Annotated[int, Meaning(ge=1, le=20)] = Meaning(
        10, alias="max", description="entries there are at the most"
    )
    entry: WordsOf | None = Meaning(None, description="what one is called, such as `Device`")
    add: WordsOf | None = Meaning(None, description="the words of the button for one more")

    @model_validator(mode="after")
    def _is_in_order(self) -> "WrittenRepeats":
        if self.minimum > self.maximum:
            raise refused("`min` is more than `max`.", "Exchange `min` and `max`.")
        return self


class WrittenShared(Written):
    """A section that forms use by its name."""

    title: WordsOf = Meaning(description="the heading over its questions")
    subtitle: WordsOf | None = Meaning(None, description="under it, where the questions are asked")
    recap_subtitle: WordsOf | None = Meaning(None, description="under it, beside the answers")
    shown_when: Conditions = Meaning(
        (), description="asked only where this holds of earlier answers; of a list, all of it"
    )
    repeats: WrittenRepeats | None = Meaning(
        None, description="answered several times, once for each entry"
    )
    fields: tuple[WrittenField, ...] = Meaning(min_length=1, description="a list of questions")


class WrittenSection(WrittenShared):
    """A section of one form."""

    key: KeyOf = Meaning(description="its name within the form, such as `contact`")


class WrittenUse(Written):
    """A shared section, in its place in a form."""

    use: str = Meaning(description="the name of a shared section")


class WrittenPage(Written):
    """Sections that are asked on one page."""

    title: WordsOf | None = Meaning(None, description="of the page, beside its number")
    sections: tuple[KeyOf, ...] = Meaning(
        min_length=1, description="a list of names of the form's sections"
    )


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
    opens: Literal["form", "registration"] = Meaning(
        "form", description="its own form, or the creation of an account"
    )
    sections: tuple[AnySection, ...] = Meaning((), description="its form's, in their order")
    pages: tuple[WrittenPage, ...] = Meaning(
        (), description="how the form is cut; without, a long one has a page a section"
    )

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
        if self.pages and not self.sections:
            raise refused(f"`{self.slug}` has pages, and no sections.", "Take `pages` out.")
        return self


class WrittenCategory(Written):
    """A category with its procedures."""

    slug: Slug = Meaning(description="its name in addresses, such as `stationnement`")
    title: WordsOf = Meaning(description="its name as people read it")
    about: WordsOf | None = Meaning(None, description="a few words under its name")
    icon: Icon | None = Meaning(None, description="the drawing before its name")
    procedures: tuple[WrittenProcedure, ...] = Meaning(
        min_length=1, description="a list of what it offers"
    )


class WrittenCatalogue(Written):
    """The whole file."""

    language: LanguageOf = Meaning(
        description="the language of the texts that are given without one, such as `fr`"
    )
    languages: tuple[LanguageOf, ...] = Meaning(
        (), description="that every text should have; what lacks one is listed"
    )
    shared: dict[KeyOf, WrittenShared] = Meaning(
        default_factory=dict, description="sections that several forms use"
    )
    categories: tuple[WrittenCategory, ...] = Meaning(description="a list, in the order shown")

    @model_validator(mode="after")
    def _speaks_its_language(self) -> "WrittenCatalogue":
        if self.languages and self.language not in self.languages:
            raise refused(
                f"`{self.language}`, the file's language, is not among `languages`.", "Add it."
            )
        return self
