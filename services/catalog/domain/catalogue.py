"""What a tenant wants to offer, whole: the values that a catalogue's file comes to."""

from dataclasses import dataclass
from typing import Literal

from contracts.forms import Form
from contracts.words import Words

Opens = Literal["form", "registration"]

Icon = Literal[
    "baby",
    "book-open",
    "briefcase",
    "bug",
    "building-2",
    "bus",
    "calendar-days",
    "car",
    "circle-question-mark",
    "credit-card",
    "droplet",
    "droplets",
    "file-text",
    "flask-conical",
    "gauge",
    "graduation-cap",
    "heart-pulse",
    "house",
    "key-round",
    "landmark",
    "laptop",
    "lightbulb",
    "mail",
    "map-pin",
    "megaphone",
    "phone",
    "plug",
    "receipt-text",
    "recycle",
    "school",
    "shield",
    "square-parking",
    "store",
    "ticket",
    "trees",
    "truck",
    "user-round",
    "users",
    "vote",
    "wrench",
]
"""What may stand before a category: names of Lucide's drawings. A fixed list, so that a catalogue
bears any later version of the drawings, and a wrong name is told at its import."""


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
    icon: Icon | None
    procedures: tuple[WantedProcedure, ...]


@dataclass(frozen=True)
class CatalogueFile:
    """A tenant's whole catalogue: what it does not name is not offered."""

    categories: tuple[WantedCategory, ...]
