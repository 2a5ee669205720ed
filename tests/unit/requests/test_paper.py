"""A request on paper: tagged, told in the page's language, its texts never anything but texts."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from chassis.problems import Unavailable
from chassis.web import pseudo
from chassis.web.tenant_view import TenantView
from contracts.forms import AnsweredField, AnsweredSection, AttachedFile
from services.requests.following import press, press_worker
from services.requests.following.drawable import DRAWABLE, MARK, drawable
from services.requests.following.queries import RequestView
from services.requests.following.sheet import pieces, sheet_of
from tests.builders.requests import NOON
from tests.support.pdf import Paper, read

PORTAL = TenantView(
    id=UUID(int=1),
    slug="ypok",
    name="YPOK",
    portal_name="YService",
    host="ypok.localhost",
    brand_colour="#1f5fa8",
)


def a_request(*said: str, title: str = "Anomalie") -> RequestView:
    answers = tuple(
        AnsweredField(
            key=f"q{count}",
            label={"fr": f"Question {count} ?", "en": f"Question {count}?"},
            value=one,
            display=one,
        )
        for count, one in enumerate(said)
    )
    return RequestView(
        id=UUID(int=2),
        number="2026-000123",
        title={"fr": title, "en": title},
        state="saved",
        saved_at=NOON,
        sections=(
            AnsweredSection(
                key="a", title={"fr": "Le produit", "en": "The product"}, answers=answers
            ),
        ),
        organisation="Saint-Amand",
        is_registration=False,
    )


async def paper(request: RequestView, tenant: TenantView = PORTAL, language: str = "fr") -> Paper:
    return read(await press.printed(sheet_of(request, tenant, language)))


async def test_the_file_is_tagged_and_says_what_it_is() -> None:
    found = await paper(a_request("Une réponse", "Une autre"))
    assert found.title == "Demande 2026-000123 – Anomalie"
    assert found.language.partition("-")[0] == "fr"
    assert found.shows_title
    assert found.conforms_to == "1"
    assert found.opens == []
    assert found.tags.count("H1") == 1
    assert found.tags.count("H2") == 1
    assert found.tags.count("LI") == found.tags.count("Lbl") == found.tags.count("LBody") == 5


async def test_it_tells_the_request_in_the_language_of_the_page() -> None:
    french, english = await paper(a_request("Oui")), await paper(a_request("Oui"), language="en")
    for said in ("YService", "YPOK", "Demande 2026-000123", "Le produit", "Question 0 ?", "Oui"):
        assert said in french.text
    assert english.language.partition("-")[0] == "en"
    for said in ("Request 2026-000123", "The product", "Question 0?", "Page 1 of 1"):
        assert said in english.text


async def test_the_pseudo_language_can_be_printed_too() -> None:
    found = await paper(a_request("Oui"), language=pseudo.LANGUAGE)
    assert found.language.partition("-")[0] == "en"
    assert "Page 1 of 1" not in found.text
    assert MARK not in found.text


async def test_files_are_listed_by_name_and_size() -> None:
    request = a_request("Oui")
    files = (
        AttachedFile(
            id=UUID(int=3), name="compteur.png", size_bytes=2_340_000, media_type="image/png"
        ),
        AttachedFile(
            id=UUID(int=4), name="a\r\nb.pdf", size_bytes=12_300, media_type="application/pdf"
        ),
    )
    [section] = request.sections
    answer = section.answers[0].model_copy(update={"files": files})
    section = section.model_copy(update={"answers": (answer,)})
    found = await paper(replace(request, sections=(section,)))
    assert "compteur.png (2,3 Mo)" in " ".join(found.text.split())
    assert "a b.pdf (12 ko)" in " ".join(found.text.split())


async def test_each_page_has_the_number_and_its_place_among_all() -> None:
    found = await paper(a_request(*("ligne\n" * 12 for _ in range(12))))
    assert len(found.pages) > 2
    for count, text in enumerate(found.pages, start=1):
        assert "Demande 2026-000123" in text
        assert f"Page {count} sur {len(found.pages)}" in text


async def test_the_same_request_makes_the_same_file() -> None:
    one, other = [await press.printed(sheet_of(a_request("a"), PORTAL, "fr")) for _ in range(2)]
    assert one == other


@pytest.mark.parametrize("colour", ["#1f5fa8", "#ffee00", "#777777", "no colour"])
async def test_any_brand_can_be_printed(colour: str) -> None:
    found = await paper(a_request("a"), replace(PORTAL, brand_colour=colour))
    assert "YService" in found.text


async def test_a_long_word_breaks_and_is_whole() -> None:
    word = "x" * 1000
    found = await paper(a_request(word))
    assert "".join(found.text.split()).count(word) == 1
    assert max(len(line) for line in found.text.splitlines()) < 120


def test_pieces_are_the_line_and_no_accent_stands_apart() -> None:
    line = "ab " * 20 + "e\u0301" * 100 + " fin"
    cut = pieces(line)
    assert "".join(cut) == line
    assert not any(piece.startswith("\u0301") for piece in cut)
    assert max(len(piece.split()[-1]) for piece in cut) < 40


def test_what_no_font_draws_is_marked_once_a_character() -> None:
    assert drawable("né à 日本, 👨\u200d👩\u200d👧 !") == f"né à {MARK}{MARK}, {MARK} !"
    assert drawable("a\x00b\x1b[31m\ufeffc\ud800") == f"a{MARK}b{MARK}[31mc{MARK}"


def test_what_is_never_seen_is_left_out() -> None:
    assert drawable("\u200ba\u00adb\u202ec\u2066d") == "abcd"
    assert drawable("\u0645\u200c\u0646") == "\u0645\u200c\u0646"


def test_a_letter_bears_some_accents_and_no_thousand() -> None:
    assert drawable("e\u0301\u0323 a") == "e\u0301\u0323 a"
    assert drawable("e" + "\u0301" * 1000 + " a") == "e" + "\u0301" * 8 + MARK + " a"


async def test_what_was_marked_is_said_on_the_paper() -> None:
    assert "ne peuvent pas être imprimés" in (await paper(a_request("日本"))).text
    assert "ne peuvent pas être imprimés" not in (await paper(a_request("Japon"))).text


def test_every_character_that_is_called_drawable_is(tmp_path: Path) -> None:
    """Held against the fonts of the Typst that is installed: it refuses what has no shape."""
    every = ("x" + chr(code) for code in sorted(DRAWABLE))
    template = """
        #set document(title: "All")
        #for text in json(bytes(sys.inputs.sheet)) { par(text); par(strong(text)) }
    """
    order = {"template": template, "root": str(tmp_path), "fonts": [], "timestamp": 0}
    assert press_worker._compiled(order, list(every)).startswith(b"%PDF-")


async def test_what_has_no_shape_together_is_marked_after_all() -> None:
    """Each may be drawn alone, but no font has them both."""
    found = await paper(a_request("x\u0903" * 30, "ᚠ\u0301" * 30, "\u0915\u094d\u200d\u0937" * 10))
    assert "Demande 2026-000123" in found.text


async def test_too_many_at_once_are_told_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "MOST_WAITING", 3)
    sheet = sheet_of(a_request("a"), PORTAL, "fr")
    answers = await asyncio.gather(
        *(press.printed(sheet) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, Unavailable) for one in answers) == 5
    assert sum(isinstance(one, bytes) for one in answers) == 3


async def test_a_sheet_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "_template", lambda: "#let n = 0\n#while true { n += 1 }")
    monkeypatch.setattr(press, "WITHIN_S", 0.5)
    with pytest.raises(Unavailable):
        await press.printed(sheet_of(a_request("a"), PORTAL, "fr"))


@pytest.mark.parametrize(
    "reads",
    [
        '#read("/etc/passwd")',
        '#read("../../../../../../etc/passwd")',
        '#image("/etc/passwd")',
        '#include "/etc/passwd"',
        '#import "@preview/cetz:0.3.4"',
    ],
)
async def test_even_the_template_could_read_nothing(
    reads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "_template", lambda: f"#set document(title: [t])\n{reads}")
    with pytest.raises(Unavailable):
        await press.printed(sheet_of(a_request("a"), PORTAL, "fr"))
