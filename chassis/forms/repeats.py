"""Sections that are answered once for each entry: how many there are, one more, one less.

The inputs of an entry are named `<section>.<n>.<key>`, n from 0; `<section>.count` says how many
entries the page showed, so that an empty one stays.
"""

import re
from collections.abc import Iterator, Mapping

from contracts.forms import Form, Section

ADD = "_add"
"""The name of the button that asks for one more entry; its value is the section's key."""

REMOVE = "_remove"
"""The name of the button that takes an entry out; its value is `<section>.<n>`."""

MOST_ENTRIES = 50
"""More are not read, whatever is sent; from a section's maximum on they are refused by it."""


def count_name(section: Section) -> str:
    """The input that says how many entries there are."""
    return f"{section.key}.count"


def entry_name(section: Section, number: int | None, key: str) -> str:
    """The input of a question, in an entry where the section repeats."""
    return key if number is None else f"{section.key}.{number}.{key}"


def entries_of(section: Section, values: Mapping[str, str]) -> int:
    """How many entries are to be shown: those counted or filled, the least at least."""
    assert section.repeats is not None
    said = values.get(count_name(section), "")
    counted = int(said) if re.fullmatch(r"[0-9]{1,3}", said, re.ASCII) else 0
    filled = max((number + 1 for number, _, value in _inputs(section, values) if value), default=0)
    return min(max(counted, filled, section.repeats.minimum), MOST_ENTRIES)


def with_added(form: Form, values: Mapping[str, str], key: str) -> dict[str, str]:
    """The values with one entry more; as they are where the section has its most."""
    section = _repeating(form, key)
    if section is None or section.repeats is None:
        return dict(values)
    count = entries_of(section, values)
    if count >= section.repeats.maximum:
        return dict(values)
    return {**values, count_name(section): str(count + 1)}


def without_entry(form: Form, values: Mapping[str, str], key: str, number: int) -> dict[str, str]:
    """The values without that entry, those behind it moved up; the least of entries stay."""
    section = _repeating(form, key)
    if section is None:
        return dict(values)
    count = entries_of(section, values)
    if not 0 <= number < count:
        return dict(values)
    inputs = list(_inputs(section, values))
    taken = {f"{key}.{at}.{rest}" for at, rest, _ in inputs}
    kept = {name: value for name, value in values.items() if name not in taken}
    for at, rest, value in inputs:
        if at != number:
            kept[f"{key}.{at - (at > number)}.{rest}"] = value
    return {**kept, count_name(section): str(count - 1)}


def rearranged(form: Form, values: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    """The values after whichever of the buttons was pressed; as they are if none was."""
    if key := sent.get(ADD):
        return with_added(form, values, key)
    found = re.fullmatch(r"([a-z0-9_]+)\.([0-9]{1,3})", sent.get(REMOVE, ""), re.ASCII)
    if found is not None:
        return without_entry(form, values, found[1], int(found[2]))
    return dict(values)


def rearranges(sent: Mapping[str, str]) -> bool:
    """Was one of the buttons pressed that change how many entries there are?"""
    return bool(sent.get(ADD) or sent.get(REMOVE))


def _repeating(form: Form, key: str) -> Section | None:
    found = (one for one in form.sections if one.key == key and one.repeats is not None)
    return next(found, None)


def _inputs(section: Section, values: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """The inputs of the section's entries: number, the rest of the name, value."""
    for name, value in values.items():
        split = _split(section, name)
        if split is not None:
            yield *split, value


def _split(section: Section, name: str) -> tuple[int, str] | None:
    if not name.startswith(f"{section.key}."):
        return None
    number, dot, rest = name[len(section.key) + 1 :].partition(".")
    if dot and re.fullmatch(r"[0-9]{1,3}", number, re.ASCII):
        return int(number), rest
    return None
