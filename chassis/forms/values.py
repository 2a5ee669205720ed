"""What the engine works with: typed answers, messages, and values as they are kept."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal

from chassis.words import Translate, say
from contracts.forms import AttachedFile, Field
from contracts.words import Text

TICKED = "yes"
"""What a ticked checkbox sends, and what `yes` is to a yes-or-no question."""

NO = "no"

LONGEST = {"text": 200, "long_text": 10_000, "email": 254, "phone": 40, "password": 200}
"""Characters, where a field sets no length of its own."""

ADDRESS_PARTS = ("street", "postcode", "city")
"""The inputs of a postal address, each named `<key>.<part>`."""

LONGEST_PARTS = {"street": 200, "postcode": 12, "city": 100}

MOST_FILES = 5
"""Files that a question takes, where it sets no number of its own."""

_LINES = frozenset({"long_text", "choices", "file"})
"""Kinds whose values keep their lines."""


@dataclass(frozen=True)
class Address:
    """A postal address, as its parts."""

    street: str
    postcode: str
    city: str

    def __str__(self) -> str:
        return f"{self.street}\n{self.postcode} {self.city}"


Answer = str | bool | Decimal | date | time | tuple[str, ...] | Address | tuple[AttachedFile, ...]


@dataclass(frozen=True)
class Message:
    """What to do, as a msgid or words with named placeholders, and what fills them."""

    text: Text
    facts: Mapping[str, object] = field(default_factory=dict)
    label: Text | None = None  # fills %(label)s, in the reader's language

    def said(self, language: str, translate: Translate) -> str:
        """The whole sentence in this language."""
        sentence = say(self.text, language, translate)
        facts = dict(self.facts)
        if self.label is not None:
            facts["label"] = say(self.label, language, translate)
        return sentence % facts if facts else sentence


def grouped_phone(number: str) -> str:
    """A phone number as it is read out: ten digits by twos, as France and its overseas write them.

    One with a country's code stays as it is: each country groups its own otherwise.
    """
    if not re.fullmatch("0[0-9]{9}", number, re.ASCII):
        return number
    return " ".join(number[start : start + 2] for start in range(0, len(number), 2))


def cleaned(one: Field, value: str) -> str:
    """The value as it is kept: trimmed, in NFC, lines ended by \\n, no control characters.

    A password is kept as it was typed.
    """
    if one.kind == "password":
        return value
    value = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    if one.kind not in _LINES:
        value = value.replace("\n", " ").replace("\t", " ")
    return "".join(char for char in value if char in "\n\t" or not _control(char)).strip()


def input_names(one: Field) -> tuple[str, ...]:
    """The names of a question's inputs: its key, or one for each part of an address."""
    if one.kind == "address":
        return tuple(f"{one.key}.{part}" for part in ADDRESS_PARTS)
    return (one.key,)


def lines_of(value: str) -> tuple[str, ...]:
    """The values that one value joins, each once."""
    return tuple(dict.fromkeys(line for line in value.split("\n") if line))


def normalise_address(address: str) -> str:
    """The form under which a mail address is looked up: one for each mailbox.

    Lower case and NFC, the domain in its ASCII form; RFC 5321 §2.4 lets a host tell cases apart,
    but none that matters does.
    """
    lowered = unicodedata.normalize("NFC", address.strip()).lower()
    local, at, domain = lowered.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return lowered


def _control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs"}
