"""What pydantic found, in sentences that tell an author what is wrong and how to mend it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from services.catalog.importing.catalogue_yaml import (
    WrittenCatalogue,
    WrittenCategory,
    WrittenPage,
    WrittenProcedure,
    WrittenRepeats,
    WrittenSection,
    WrittenShared,
)
from services.catalog.importing.marked_yaml import Marked, Mistake, Path
from services.catalog.importing.question_yaml import WrittenChoice, WrittenCondition, WrittenField

KINDS: Mapping[str, tuple[type[BaseModel], str]] = {
    "categories": (WrittenCategory, "a category"),
    "procedures": (WrittenProcedure, "a procedure"),
    "sections": (WrittenSection, "a section"),
    "shared": (WrittenShared, "a shared section"),
    "fields": (WrittenField, "a field"),
    "choices": (WrittenChoice, "a choice"),
    "shown_when": (WrittenCondition, "a condition"),
    "repeats": (WrittenRepeats, "`repeats`"),
    "pages": (WrittenPage, "a page"),
}
"""What stands in each list of the file."""

PATTERNS = {
    "slug": "Use small letters without accents, digits and single hyphens, as in `ma-demarche`.",
    "key": "Use small letters, digits and underscores, a letter first, 40 at most.",
    "shared": "Use small letters, digits and underscores, a letter first, 40 at most.",
    "language": "Write a code such as `fr`, `en` or `pt-BR`.",
    "languages": "Write a code such as `fr`, `en` or `pt-BR`.",
    "field": "Use small letters, digits and underscores, a letter first, 40 at most.",
    "sections": "Use small letters, digits and underscores, a letter first, 40 at most.",
    "autocomplete": "Use HTML's words for it, such as `email` or `given-name`.",
}


def mistakes(errors: Iterable[ErrorDetails], marked: Marked) -> Iterator[Mistake]:
    """Pydantic's errors as mistakes on their lines, without those that only follow from others."""
    found = list(errors)
    misspelt = {
        (error["loc"][:-1], _meant(str(error["loc"][-1]), marked.path_of(error["loc"][:-1])))
        for error in found
        if error["type"] == "extra_forbidden"
    }
    for error in found:
        if error["type"] == "too_short" and error["input"]:
            continue  # it holds something, which was refused itself
        if error["type"] == "missing" and (error["loc"][:-1], error["loc"][-1]) in misspelt:
            continue
        path = marked.path_of(error["loc"])
        # In a list of plain values, the list's own name.
        name = next((one for one in reversed(error["loc"]) if isinstance(one, str)), "")
        what, mend = WORDINGS.get(error["type"], _otherwise)(error, name, path)
        yield Mistake(marked.line_of(path), what, mend)


def _meant(name: str, around: Path) -> str | None:
    """The key that was probably meant."""
    kind, _ = _around(around)
    close = get_close_matches(name, _names(kind), n=1)
    return close[0] if close else None


def _names(kind: type[BaseModel]) -> list[str]:
    """What may be written in such a thing."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def _facts(error: ErrorDetails) -> dict[str, Any]:
    return error.get("ctx", {})


def _around(path: Path) -> tuple[type[BaseModel], str]:
    """The kind of thing that the path leads into."""
    for step in reversed(path):
        if step in KINDS:
            return KINDS[str(step)]
    return WrittenCatalogue, "the file"


def _ours(error: ErrorDetails, _name: str, _path: Path) -> tuple[str, str]:
    return _facts(error)["what"], _facts(error)["mend"]


def _missing(_error: ErrorDetails, name: str, path: Path) -> tuple[str, str]:
    kind, called = _around(path)
    meaning = kind.model_fields[name].description if name in kind.model_fields else None
    return f"`{name}` is missing in {called}.", f"Add `{name}:`, {meaning or 'which it needs'}."


def _unknown(_error: ErrorDetails, name: str, path: Path) -> tuple[str, str]:
    kind, called = _around(path[:-1])
    meant = _meant(name, path[:-1])
    known = ", ".join(_names(kind))
    mend = f"Did you mean `{meant}`?" if meant else f"Known are: {known}."
    return f"`{name}` is not known in {called}.", mend


def _no_text(_error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return f"`{name}` is no text.", "Write it in words, between quotes if need be."


def _no_number(_error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return f"`{name}` is no whole number.", "Write it in digits, as in `8`."


def _no_boolean(_error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return f"`{name}` is neither true nor false.", "Write `true` or `false`."


def _no_list(_error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return f"`{name}` is no list.", "Begin each of its lines with `- `."


def _no_mapping(error: ErrorDetails, name: str, path: Path) -> tuple[str, str]:
    if not error["loc"]:
        return "The file is no mapping.", "Begin with `language:`, then `categories:`."
    if name == "shared":
        return "`shared` is no mapping.", "Write a name for each shared section, as in `contact:`."
    _, called = _around(path)
    return f"This is not {called}.", "Write its keys and values, as in `title: …`."


def _not_among(error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return (
        f"`{name}` can't be `{error['input']}`.",
        f"Use one of: {_facts(error)['expected']}.".replace("'", "`"),
    )


def _bound(error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    facts = _facts(error)
    if "ge" in facts:
        return f"`{name}` is too small.", f"Write {facts['ge']} or more."
    return f"`{name}` is too great.", f"Write {facts['le']} or less."


def _pattern(error: ErrorDetails, name: str, path: Path) -> tuple[str, str]:
    if name == "[key]":
        name = "shared"
    return (
        f"`{error['input']}` can't be a name here.",
        PATTERNS.get(name, "Write it otherwise."),
    )


def _too_long(error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return f"`{name}` is too long.", f"Use {_facts(error)['max_length']} characters at most."


def _empty(_error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return f"`{name}` is empty.", "Fill it, or take out what it belongs to."


def _otherwise(error: ErrorDetails, name: str, _path: Path) -> tuple[str, str]:
    return f"`{name}`: {error['msg']}.", "Write it otherwise."


Wording = Callable[[ErrorDetails, str, Path], tuple[str, str]]

WORDINGS: Mapping[str, Wording] = {
    "guichet": _ours,
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_type": _no_text,
    "int_type": _no_number,
    "int_parsing": _no_number,
    "int_from_float": _no_number,
    "decimal_type": _no_number,
    "decimal_parsing": _no_number,
    "bool_type": _no_boolean,
    "bool_parsing": _no_boolean,
    "tuple_type": _no_list,
    "dict_type": _no_mapping,
    "model_type": _no_mapping,
    "model_attributes_type": _no_mapping,
    "union_tag_not_found": _no_mapping,
    "literal_error": _not_among,
    "greater_than_equal": _bound,
    "less_than_equal": _bound,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _empty,
    "string_too_long": _too_long,
    "too_short": _empty,
}
"""By pydantic's name of the error (https://docs.pydantic.dev/latest/errors/validation_errors/)."""
