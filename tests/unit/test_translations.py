"""Every sentence that code or templates say is in its part's catalogue, whole and well set."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
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
from guichet.demo_data import demo_file
from tests.support.demo import Demo, demos

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


MANUALS = {
    "Ce lien sera valide jusqu'au %(instant)s",
    "J'accepte les %(terms)s du service",
    "J'accepte les conditions générales d'utilisation du service",
    "Le Service SAV d'YPOK",
    (
        "Merci de renseigner une adresse mail sur laquelle vous souhaitez être informé de"
        " l'avancée du traitement de vos demandes."
    ),
    "Nom d'utilisateur",
    (
        "Pour finaliser l'activation de votre compte, vous pouvez modifier votre identifiant de"
        " connexion et créer votre mot de passe."
    ),
    "Qu'avez-vous perdu\u00a0?",
    "Suivre l'avancement de vos démarches en ligne",
    "Sélectionnez la démarche pour l'anomalie concernée (bug, demande d'évolution, hotline).",
    "Votre nom d'utilisateur",
    "Votre nom d'utilisateur vous sera transmis par courriel.",
    "Vous n'avez pas encore de compte\u00a0?",
    "conditions générales d'utilisation",
}
"""The manual's own words, which keep its straight apostrophe; new texts have U+2019."""

BETWEEN_LETTERS = re.compile(r"\w'\w")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_english_that_is_read_is_well_set(part: Part) -> None:
    """English needs no catalogue: its texts are the msgids."""
    said = [text for message in used(part) for text in strings(message.id) if text]
    assert [(text, list(typography(text, "en"))) for text in said if bad_english(text)] == []


def bad_english(text: str) -> bool:
    """Is something wrong with how it is set?"""
    return any(typography(text, "en"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_new_french_has_curly_apostrophes(part: Part) -> None:
    said = {text for message in kept(part, "fr") if message.id for text in strings(message.string)}
    assert {text for text in said if BETWEEN_LETTERS.search(text)} <= MANUALS


@pytest.mark.parametrize("demo", demos(), ids=str)
@pytest.mark.parametrize("file", ["tenant.yaml", "catalogue.yaml"])
def test_what_the_demos_tenants_wrote_is_well_set(demo: Demo, file: str) -> None:
    found = yaml.safe_load(demo_file(demo.slug, file))
    written = list(by_language(found, found.get("language", "fr")))
    assert written
    faults = [(text, fault) for lang, text in written for fault in typography(text, lang)]
    faults += [
        (text, "a straight apostrophe")
        for lang, text in written
        if lang == "fr" and BETWEEN_LETTERS.search(text) and text not in MANUALS
    ]
    assert faults == []


LANGUAGES_SPOKEN = {"fr", "en"}
NO_TEXTS = {"slug", "key", "kind", "use", "value", "pattern", "colour", "origin", "timezone"}


def by_language(value: Any, language: str) -> Iterator[tuple[str, str]]:
    """The texts in a file, a line each, with their language; those of one are in the file's."""
    if isinstance(value, dict):
        spoken = bool(value) and set(value) <= LANGUAGES_SPOKEN
        for name, one in value.items():
            if spoken or name not in NO_TEXTS:
                yield from by_language(one, str(name) if spoken else language)
    elif isinstance(value, list):
        for one in value:
            yield from by_language(one, language)
    elif isinstance(value, str):
        yield from ((language, line) for line in value.splitlines())


def strings(text: Any) -> tuple[str, ...]:
    """A message, or its forms for one and for many."""
    return text if isinstance(text, tuple) else (text,)


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


@pytest.mark.parametrize(
    ("sentence", "good"),
    [
        ("Which town?", True),
        ("The town’s “own” name; its address: none", True),
        ("letters, digits and the signs . - _ @ + or '.", True),
        ("At 15:31, %(name)s…", True),
        ("Which town ?", False),
        ("Which\u00a0: this", False),
        ("The town's name", False),
        ('The "town"', False),
        ("« town »", False),
        ("Wait...", False),
        ("Two  spaces", False),
    ],
)
def test_english_typography(sentence: str, good: bool) -> None:
    assert (list(typography(sentence, "en")) == []) is good


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
