"""What a tenant wants to offer, whole: the values that a catalogue's file comes to."""

from dataclasses import dataclass
from typing import Literal

from contracts.forms import Form
from contracts.words import Words

Opens = Literal["form", "registration"]


@dataclass(frozen=True)
class WantedProcedure:
    """A procedure as it is to be offered. Only `registration` does without a form."""

    slug: str
    title: Words
    description: Words
    minutes: int
    opens: Opens
    form: Form | None


@dataclass(frozen=True)
class WantedCategory:
    """A category with its procedures in their order."""

    slug: str
    title: Words
    about: Words
    procedures: tuple[WantedProcedure, ...]


@dataclass(frozen=True)
class CatalogueFile:
    """A tenant's whole catalogue: what it does not name is not offered."""

    categories: tuple[WantedCategory, ...]
