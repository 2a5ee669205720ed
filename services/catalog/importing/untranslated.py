"""What of a catalogue's file is not said in a language that its portal speaks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.catalog.importing.marked_yaml import Marked, Path, read_marked

TEXTS = frozenset(
    {
        "about",
        "add",
        "description",
        "entry",
        "group",
        "help",
        "hint",
        "label",
        "missing",
        "pattern_words",
        "placeholder",
        "recap_subtitle",
        "subtitle",
        "title",
    }
)
"""The keys under which people read what is written."""


@dataclass(frozen=True)
class Untranslated:
    """A text, where it stands, and the languages that it lacks."""

    line: int
    key: str
    text: str
    languages: tuple[str, ...]

    def __str__(self) -> str:
        return f"line {self.line}: `{self.key}` lacks {', '.join(self.languages)}: {self.text}"


def untranslated(text: str, languages: Sequence[str] = ()) -> tuple[Untranslated, ...]:
    """Every text of a good file that lacks one of these languages, or of those the file names.

    Where neither says which, those are meant in which anything in the file is written.
    """
    marked = read_marked(text)
    own = str(marked.value["language"])
    found = list(_texts(marked.value, (), own, marked))
    wanted = [*languages, *(str(one) for one in marked.value.get("languages", ()))]
    if not wanted:
        wanted = sorted({language for _, _, words in found for language in words})
    lacking = []
    for line, key, words in found:
        missing = tuple(one for one in dict.fromkeys(wanted) if one not in words)
        if missing:
            lacking.append(Untranslated(line, key, str(words[own]), missing))
    # An anchor's text is read wherever an alias stands for it, and written once.
    return tuple(sorted(dict.fromkeys(lacking), key=lambda one: one.line))


def _texts(
    value: Any, path: Path, own: str, marked: Marked
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The texts: line, key, and the words by language."""
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from _texts(one, (*path, at), own, marked)
    if not isinstance(value, dict):
        return
    for key, one in value.items():
        here = (*path, key)
        if key not in TEXTS or path == ("shared",):  # a shared section may be called `group`
            yield from _texts(one, here, own, marked)
        elif isinstance(one, dict):
            yield marked.line_of(here), key, one
        elif one is not None:
            yield marked.line_of(here), key, {own: one}
