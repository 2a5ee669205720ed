"""Which files are taken, and what is left of those that mean harm."""

import io
import resource
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from chassis.files import content_disposition, safe_name
from services.requests.domain import attachments
from services.requests.filing.inspecting import Inspected, inspected_now
from tests.builders import files

Look = Callable[[str, bytes], Inspected]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Looks into a file of that name and content."""

    def look_into(name: str, content: bytes) -> Inspected:
        path = tmp_path / "received"
        path.write_bytes(content)
        return inspected_now(path, name)

    return look_into


GOOD = {
    "écran.png": files.a_picture(),
    "photo.JPG": files.a_picture("JPEG"),
    "photo.webp": files.a_picture("WEBP"),
    "notice.pdf": files.PDF,
    "journal.log": "10:02 L’écran reste blanc\r\n".encode(),
    "ancien.txt": "écran".encode("latin-1"),
    "villes.csv": b"ville;code\nGivors;69700\n",
    "note.docx": files.a_document(),
    "note.odt": files.an_open_document(),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_a_support_desk_needs_is_taken(look: Look, name: str) -> None:
    taken = look(name, GOOD[name])
    assert taken.name == name
    assert taken.media_type == attachments.MEDIA_TYPES[name.rpartition(".")[2].lower()]
    assert taken.size_bytes == taken.path.stat().st_size > 0


BAD: dict[str, tuple[str, bytes, type[attachments.Refused]]] = {
    "HTML called a picture": ("a.png", files.HTML, attachments.NotWhatItSays),
    "SVG called a picture": ("a.png", files.SVG, attachments.NotWhatItSays),
    "HTML called HTML": ("a.html", files.HTML, attachments.NotTaken),
    "SVG called SVG": ("a.svg", files.SVG, attachments.NotTaken),
    "a program": ("a.exe", b"MZ\x90\x00", attachments.NotTaken),
    "a program called text": ("a.txt", b"MZ\x90\x00", attachments.NotWhatItSays),
    "a document called text": ("a.txt", files.PDF, attachments.NotWhatItSays),
    "an archive": ("a.zip", files.a_package({"a": b"a"}), attachments.NotTaken),
    "an archive called a document": (
        "a.docx",
        files.a_package({"a": b"a"}),
        attachments.NotWhatItSays,
    ),
    "a JPEG called PNG": ("a.png", files.a_picture("JPEG"), attachments.NotWhatItSays),
    "half a picture": ("a.png", files.a_picture()[:40], attachments.NotWhatItSays),
    "no extension": ("LISEZMOI", b"text", attachments.NotTaken),
    "two extensions": ("a.pdf.exe", files.PDF, attachments.NotTaken),
    "nothing": ("a.txt", b"", attachments.Empty),
    "50,000 squared": ("a.png", files.a_picture_of(50_000, 50_000), attachments.TooManyPixels),
    "one long row": ("a.png", files.a_picture_of(30_000, 1), attachments.TooManyPixels),
    "a page behind a document": ("a.pdf", files.PDF + files.HTML, attachments.NotWhatItSays),
    "a page before a document": ("a.pdf", files.HTML + files.PDF, attachments.NotWhatItSays),
    "an archive behind a document": (
        "a.pdf",
        files.PDF + files.a_package({"a.class": b"a"}),
        attachments.NotWhatItSays,
    ),
    "a page before an office document": (
        "a.docx",
        files.HTML + files.a_document(),
        attachments.NotWhatItSays,
    ),
    "a bomb": ("a.docx", files.a_bomb(), attachments.TooDense),
    "macros": ("a.docx", files.a_document(**{"word/vbaProject.bin": b"a"}), attachments.TooDense),
    "a way out": ("a.docx", files.a_document(**{"../../x": b"a"}), attachments.TooDense),
    "ten thousand entries": (
        "a.docx",
        files.a_document(**{f"word/{n}": b"" for n in range(10_000)}),
        attachments.TooDense,
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_what_it_says_is_refused(look: Look, what: str) -> None:
    name, content, refusal = BAD[what]
    with pytest.raises(refusal) as refused:
        look(name, content)
    assert refused.value.facts["name"]


def test_a_picture_keeps_nothing_but_its_pixels(look: Look) -> None:
    sent = files.a_photo_with_its_place()
    assert b"Appareil de Claire" in sent
    taken = look("photo.jpg", sent)
    kept = taken.path.read_bytes()
    assert b"Exif" not in kept
    assert b"Claire" not in kept
    assert b"Mairie" not in kept
    with Image.open(taken.path) as picture:
        assert picture.size == (24, 32)  # upright, as it was to be seen
        assert not picture.getexif()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_what_stands_behind_a_picture_is_gone(look: Look, format: str) -> None:
    extension = format.lower().replace("jpeg", "jpg")
    sent = files.a_picture(format) + files.HTML + files.a_package({"evil.class": b"evil"})
    kept = look(f"photo.{extension}", sent).path.read_bytes()
    assert b"script" not in kept
    assert b"evil" not in kept
    with Image.open(io.BytesIO(kept)) as picture:
        assert picture.format == format


def test_looking_into_hostile_files_takes_little_memory(look: Look) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    for name, content, refusal in BAD.values():
        with pytest.raises(refusal):
            look(name, content)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # kB


NAMES = {
    "../../etc/passwd.txt": "passwd.txt",
    "C:\\Users\\Claire\\note.txt": "note.txt",
    "\u200b.htaccess": "htaccess",
    "\u202egnp.exe": "gnp.exe",
    ".bashrc": "bashrc",
    "con.txt": "_con.txt",
    "a\r\nSet-Cookie: b.txt": "aSet-Cookie_ b.txt",
    "a\u2028b.txt": "ab.txt",
    "a\0b.txt": "ab.txt",
    "": "file",
    "..": "file",
    " . ": "file",
    "e\u0301cran.png": "\u00e9cran.png",
    'a"b;c%d.txt': "a_b;c%d.txt",
    "=cmd|' /C calc'!A0.csv": "C calc'!A0.csv",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_made_harmless(name: str) -> None:
    assert safe_name(name) == NAMES[name]


def test_a_name_of_a_thousand_characters_keeps_its_ending() -> None:
    name = safe_name("é" * 1000 + ".pdf")
    assert name.endswith("é.pdf")
    assert len(name) == 120


@pytest.mark.parametrize("name", [*NAMES, "é" * 1000 + ".pdf", "日本.pdf", "a b.pdf"])
def test_a_name_in_a_header_is_one_header(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.startswith('attachment; filename="')
    assert header.count('"') == 2
    assert not header.partition('filename="')[2].startswith((".", '"'))
