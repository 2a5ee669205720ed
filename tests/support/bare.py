"""Bare strings: what a page says in the pseudo-locale without its brackets came by no catalogue.

Let through is what tenants and people wrote, given as `known`, and days, times and numbers.
"""

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

from chassis.web.pseudo import CLOSES, OPENS

SILENT = {"script", "style", "svg"}
READ_ALOUD = ("aria-label", "placeholder", "title", "alt")
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DAY = re.compile(rf"\b\d{{1,2}} (?:{MONTHS}) \d{{4}}\b")
WORD = re.compile(r"[^\W\d_]{2,}")
SERVER_SAID = r"\b250 2\.0\.0 OK: stored as [0-9a-f]+"  # of a mail: the mailbox's words
UNSPOKEN = re.compile(rf"{SERVER_SAID}|\S+@\S+|https?://\S+|www\.\S+|\b[0-9a-f-]{{36}}\b")


def bare(html: str, known: Iterable[str]) -> list[str]:
    """The pieces of the page's text and spoken attributes that nothing accounts for."""
    page = _Spoken(html)
    written = sorted({_squeezed(one) for one in known} - {""}, key=len, reverse=True)
    pieces = [*_outside(page.text), *(one for said in page.attributes for one in _outside([said]))]
    return [piece for piece in pieces if _unaccounted(piece, written)]


def said_in(value: Any) -> Iterator[str]:
    """Every text that stands in a YAML file, line by line."""
    if isinstance(value, str):
        for line in value.splitlines():
            yield line.strip().removeprefix("## ").removeprefix("- ")
    elif isinstance(value, dict):
        for one in value.values():
            yield from said_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from said_in(one)


def _unaccounted(piece: str, written: list[str]) -> bool:
    left = DAY.sub(" ", UNSPOKEN.sub(" ", _squeezed(piece)))
    for one in written:
        if one in left:
            left = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", " ", left)
    return WORD.search(left) is not None


def _outside(texts: Iterable[str]) -> Iterator[str]:
    """What stands outside of brackets; they may be opened in one text and closed in another."""
    depth = 0
    for text in texts:
        outside = ""
        for character in text:
            depth += (character == OPENS) - (character == CLOSES)
            if depth == 0 and character != CLOSES:
                outside += character
        if outside.strip():
            yield outside.strip()


def _squeezed(text: str) -> str:
    return " ".join(text.split())


class _Spoken(HTMLParser):
    """What is read: text outside of scripts and drawings, and the attributes that are spoken."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.attributes: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        given = dict(attrs)
        self.attributes += [one for name in READ_ALOUD if (one := given.get(name))]
        if tag == "input" and given.get("type") in {"submit", "button", "reset"}:
            self.attributes.append(given.get("value") or "")
        for name, value in attrs:  # sentences that scripts show
            if name.startswith("data-") and value and " " in value:
                self.attributes.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)
