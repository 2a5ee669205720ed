"""What the portal says in another language, found from the manual's French labels.

Tests name labels as the manual prints them, in French; `Speech("en")("Me connecter")` is their
English twin. Twins are read from the parts' catalogues and from what the demo's tenants wrote, so
nothing is written down twice; what stands for itself in every language is given back as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from chassis.web import pseudo
from chassis.web.catalogues import kept, parts
from chassis.words import base_of

FRENCH = "fr"
MARK = "*"  # of a mandatory field, after its label


@dataclass(frozen=True)
class Speech:
    """Speaks one language."""

    language: str = FRENCH

    def __call__(self, french: str, *, among: str = "", **facts: object) -> str:
        """The twin of a French label, its `%(name)s` filled in. Fails where it has none.

        `among` says which is meant of several that are one in French, by its English.
        """
        twin = self._twin(french, among)
        return twin % facts if facts else twin

    def _twin(self, french: str, among: str) -> str:
        if self.language == FRENCH:
            return french
        if french.endswith(f" {MARK}"):
            return f"{self._twin(french[:-2], among)} {MARK}"
        label = plain(french)
        found = {one for one in _msgids().get(label, ()) if among in {"", one}}
        if not found and label in _wordings():
            return self.shown(_wordings()[label])
        assert found, f"no part says {french!r}"
        assert len(found) == 1, f"{french!r} stands for {sorted(found)}: say which"
        [msgid] = found
        return pseudo.made_strange(msgid) if self.language == pseudo.LANGUAGE else msgid

    def shown(self, words: dict[str, str]) -> str:
        """What a tenant wrote in several languages, as its pages show it."""
        return next(
            (words[one] for one in (self.language, base_of(self.language)) if one in words),
            next(iter(words.values())),
        )


def plain(text: str) -> str:
    """The text with one kind of space and of apostrophe: the manual's labels have their own."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


@cache
def _msgids() -> dict[str, set[str]]:
    """By what they are in French."""
    found: dict[str, set[str]] = {}
    for part in parts():
        for message in kept(part, FRENCH):
            english = [message.id] if isinstance(message.id, str) else message.id
            french = [message.string] if isinstance(message.string, str) else message.string or ()
            for one, other in zip(english, french, strict=False):
                if one and other:
                    found.setdefault(plain(other), set()).add(one)
    return found


@cache
def _wordings() -> dict[str, dict[str, str]]:
    """What demo tenants wrote, by how it is in French."""
    found = {}
    for folder in (resources.files("guichet") / "demo").iterdir():
        for file in ("tenant.yaml", "catalogue.yaml") if folder.is_dir() else ():
            if (folder / file).is_file():
                for words in _words_in(yaml.safe_load((folder / file).read_text("utf-8"))):
                    found[plain(words[FRENCH])] = words
    return found


def _words_in(value: Any) -> Iterator[dict[str, str]]:
    if isinstance(value, dict):
        if len(value) > 1 and FRENCH in value and all(isinstance(v, str) for v in value.values()):
            yield value
        for one in value.values():
            yield from _words_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words_in(one)
