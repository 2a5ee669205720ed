"""Every sentence that code or templates say is in its part's catalogue, whole and well set."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from chassis.web.catalogues import (
    LANGUAGES,
    Part,
    faults,
    kept,
    parts,
    typography,
    update,
    used,
)

PARTS = parts()
WEB = next(part for part in PARTS if part.name == "web")


def test_the_parts_are_found() -> None:
    assert {"web", "identity", "catalog", "requests", "notifier", "gateway"} <= {
        part.name for part in PARTS
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_sentence_is_translated(part: Part, language: str) -> None:
    assert list(faults(part, language, kept(WEB, language))) == []


MARKUP = [
    r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}",
    r"<(style|script)\b.*?</\1>|<!--.*?-->|<[^>]*>|&\w+;",
    r"\s[a-z-]+=\"[^\"]*\"",
]
GALLERY = "gallery.html"  # every component on a page, read by developers alone
NO_SENTENCES = {"required", "Message-ID"}
SPOKEN = re.compile(r"\b(?:aria-label|alt|title|placeholder)=\"(?!\{\{|\")([^\"]+)")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_no_template_says_a_bare_sentence(part: Part) -> None:
    """What is read between tags and in attributes comes from a catalogue or from data."""
    bare = []
    for file in part.sources.rglob("templates/**/*.html"):
        if any(other in file.parents for other in part.others) or file.name == GALLERY:
            continue
        text = file.read_text("utf-8")
        words = SPOKEN.findall(text)
        for markup in MARKUP:
            text = re.sub(markup, "", text, flags=re.DOTALL)
        words += [found.strip() for found in re.findall(r"[^\W\d_]{2,}.*", text)]
        bare += [f"{file.name}: {one}" for one in words if one not in NO_SENTENCES]
    assert bare == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Quelle ville\u00a0?",
        "Mot de passe\u00a0:",
        "«\u00a0%(label)s\u00a0»",
        "Téléphone\u00a0: %(phone)s. Courriel\u00a0: %(mail)s.",
        "À 15:31, sur https://ypok.localhost:8080/a?b",
        "Fini\u00a0! Et ensuite\u00a0?",
        "Vous n'avez pas encore de compte\u00a0?",
        "Identifiant\u00a0:*",
        "Au plus %(num)d caractères\u00a0; c’est tout.",
    ],
)
def test_typography_lets_good_sentences_be(sentence: str) -> None:
    assert list(typography(sentence)) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Quelle ville ?",
        "Quelle ville?",
        "Mot de passe :",
        "Mot de passe:",
        "Identifiant :*",
        "« mot »",
        "«mot»",
        "Le “mot”",
        'Le "mot"',
        "%(label)s: suite",
        "Oui; non",
    ],
)
def test_typography_finds_what_breaks_it(sentence: str) -> None:
    assert list(typography(sentence)) != []


@pytest.fixture
def part(tmp_path: Path) -> Part:
    """A part with a module, a template and a folder for its catalogue."""
    (tmp_path / "chassis" / "slice" / "templates").mkdir(parents=True)
    (tmp_path / "chassis" / "code.py").write_text(
        'A = N_("Hello %(name)s")\nB = ngettext("%(num)d mail", "%(num)d mails", n)\n'
        'C = pgettext("verb", "Close")\n'
    )
    (tmp_path / "chassis" / "slice" / "templates" / "page.html").write_text(
        '{{ _("Town") }}{{ _("Shared") }}'
    )
    (found,) = parts(tmp_path)
    return found


def test_what_is_used_is_found_in_code_and_templates(part: Part) -> None:
    found = {(message.id, message.context) for message in used(part) if message.id}
    assert found == {
        ("Hello %(name)s", None),
        (("%(num)d mail", "%(num)d mails"), None),
        ("Close", "verb"),
        ("Town", None),
        ("Shared", None),
    }


def test_an_update_brings_what_is_new_keeps_what_was_said_and_drops_the_rest(part: Part) -> None:
    shared = Catalog(locale="fr")
    shared.add("Shared", "Partagé")
    part.po("fr").parent.mkdir(parents=True)
    part.po("fr").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Town"\nmsgstr "Ville"\n\nmsgid "Gone"\nmsgstr "Parti"\n'
    )
    update(part, "fr", shared)
    catalogue = kept(part, "fr")
    town = catalogue.get("Town")
    assert town is not None
    assert town.string == "Ville"
    assert catalogue.get("Gone") is None
    assert catalogue.get("Shared") is None
    assert catalogue.get("Hello %(name)s") is not None
    before = part.po("fr").read_bytes()
    update(part, "fr", shared)
    assert part.po("fr").read_bytes() == before


def test_faults_are_told(part: Part) -> None:
    part.po("fr").parent.mkdir(parents=True)
    part.po("fr").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
        'msgid "Hello %(name)s"\nmsgstr "Bonjour %(nom)s"\n\n'
        'msgid "%(num)d mail"\nmsgid_plural "%(num)d mails"\n'
        'msgstr[0] "Un courriel"\nmsgstr[1] "%(num)d courriels"\n\n'
        '#, fuzzy\nmsgid "Town"\nmsgstr "Cité"\n\n'
        'msgctxt "verb"\nmsgid "Close"\nmsgstr "Fermer ?"\n'
    )
    told = "\n".join(faults(part, "fr", Catalog(locale="fr")))
    assert "'Hello %(name)s' has other placeholders" in told
    assert "'Town' is fuzzy" in told
    assert "'Shared' is not translated" in told
    assert "no U+00A0" in told
    assert "mail" not in told
