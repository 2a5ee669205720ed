"""A request as a sheet of paper: every text on it, chosen, translated and cut into lines.

What comes out is data for `templates/paper.typ`, which only sets it: nothing of it is markup.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.web import i18n, palette
from chassis.web.i18n import N_
from chassis.web.tenant_view import TenantView
from chassis.words import shown
from contracts.forms import AnsweredField
from services.requests.domain.states import label_of
from services.requests.following.drawable import MARK, drawable
from services.requests.following.queries import RequestView
from services.requests.web import web

LINE_ENDS = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
LONGEST_RUN, PIECE = 30, 8
"""Characters that stand together without a place to break the line; and from then on."""

Lines = list[list[str]]
"""Lines, each of pieces between which it may be broken without a hyphen."""


@dataclass(frozen=True)
class Entry:
    """A term with what is said of it."""

    term: Lines
    said: Lines


@dataclass(frozen=True)
class Part:
    """A section of answers."""

    title: Lines
    subtitle: Lines
    entries: list[Entry]


@dataclass(frozen=True)
class Sheet:
    """All that stands on the paper."""

    language: str  # ISO 639
    number: str
    title: str  # of the file
    author: str
    portal: Lines
    tenant: Lines
    fill: str
    on_fill: str
    heading: Lines
    procedure: Lines
    facts: list[Entry]
    parts: list[Part]
    foot: str
    page_of: str  # with {page} and {pages}
    note: str  # on characters that could not be drawn, or empty
    made_at: datetime  # the same request makes the same file


def sheet_of(request: RequestView, tenant: TenantView, language: str) -> Sheet:
    """The request, told in that language."""
    with i18n.speaking(language, tenant.timezone):
        return _sheet(request, tenant, language)


def _sheet(request: RequestView, tenant: TenantView, language: str) -> Sheet:
    say = web.catalogues.say
    colours = palette.light(
        tenant.brand_colour if palette.is_colour(tenant.brand_colour) else palette.DEFAULT_BRAND
    )
    facts = [
        (say(N_("State")), say(label_of(request.state))),
        (say(N_("Recorded on")), i18n.format_datetime(request.saved_at)),
    ]
    if request.organisation:
        facts.append((say(N_("For")), request.organisation))
    title = say(N_("Request %(number)s")) % {"number": request.number}
    parts = [
        Part(
            title=lines(shown(section.title, language)),
            subtitle=lines(shown(section.subtitle, language) if section.subtitle else ""),
            entries=_entries(
                [(shown(one.label, language), _said(one, language)) for one in section.answers]
            ),
        )
        for section in request.sections
    ]
    sheet = Sheet(
        language=language.partition("_")[0],
        number=request.number,
        title=_one_line(f"{title} – {shown(request.title, language)}"),
        author=_one_line(tenant.name),
        portal=lines(tenant.portal_name),
        tenant=lines(tenant.name),
        fill=colours.fill,
        on_fill=colours.on_fill,
        heading=lines(title),
        procedure=lines(shown(request.title, language)),
        facts=_entries(facts),
        parts=parts,
        foot=_one_line(title),
        page_of=say(N_("Page %(page)s of %(pages)s")) % {"page": "{page}", "pages": "{pages}"},
        note="",
        made_at=request.saved_at,
    )
    if MARK not in str(sheet):
        return sheet
    return replace(
        sheet,
        note=say(
            N_("Characters that can’t be printed are marked %(mark)s. The portal shows them all.")
        )
        % {"mark": MARK},
    )


def lines(text: str) -> Lines:
    """The text as paper takes it: its lines, each in pieces that a line may be broken between."""
    return [pieces(line) for line in LINE_ENDS.split(drawable(text).strip())]


def pieces(line: str) -> list[str]:
    """The line, cut where too much of it stands together. An accent stays with its letter."""
    cut: list[str] = []
    piece, run = "", 0
    for char in line:
        if run >= LONGEST_RUN and not _belongs(char) and not char.isspace():
            cut.append(piece)
            piece, run = "", LONGEST_RUN - PIECE
        piece += char
        run = 0 if char.isspace() else run + 1
    return [*cut, piece]


def _belongs(char: str) -> bool:
    """Does it go with the character before?"""
    return unicodedata.category(char)[0] == "M" or char in "\u200d\ufe0e\ufe0f"


def _entries(pairs: Sequence[tuple[str, str]]) -> list[Entry]:
    return [Entry(lines(term), lines(said)) for term, said in pairs]


def _said(one: AnsweredField, language: str) -> str:
    """The answer; of files a line each, with their sizes."""
    if one.files:
        return "\n".join(
            f"{_one_line(file.name)} ({web.size(file.size_bytes)})" for file in one.files
        )
    return shown(one.display, language)


def _one_line(text: str) -> str:
    return " ".join(drawable(LINE_ENDS.sub(" ", text)).split())
