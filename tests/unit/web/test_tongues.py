"""A text in another language than its page's says so, wherever it is printed."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from chassis.web.i18n import Catalogues, speaking
from chassis.web.tongues import OtherTongue, in_its_tongue, lang, plain
from contracts.words import Words

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    file
    for top in ("chassis", "services", "gateway")
    for file in (ROOT / top).rglob("templates/**/*.html")
    if "notifier" not in file.parts
)
IN_AN_ATTRIBUTE = re.compile(r'="[^"<>]*\{\{[^}]*\| (?:say|shown)\b(?![^}]*\| (?:plain|lang))')

BOTH = {"fr": "Stationnement", "en": "Parking"}
FRENCH = {"fr": "Stationnement <b>"}


@pytest.fixture(scope="module")
def environment() -> Environment:
    """Templates as services have them."""
    environment = Environment(autoescape=True)
    Catalogues().install(environment)
    environment.filters.update(shown=in_its_tongue, plain=plain, lang=lang)
    return environment


def printed(environment: Environment, template: str, words: Words | str, language: str) -> str:
    """What a reader of that language gets."""
    with speaking(language):
        return environment.from_string(template).render(words=words)


@pytest.mark.parametrize(
    ("words", "language", "html"),
    [
        pytest.param(BOTH, "en", "Parking", id="the page's own"),
        pytest.param(BOTH, "en_GB", "Parking", id="of no country"),
        pytest.param(BOTH, "en_XA", "Parking", id="the pseudo-locale's"),
        pytest.param(FRENCH, "en", '<span lang="fr">Stationnement &lt;b&gt;</span>', id="another"),
        pytest.param({"pt_BR": "Rua"}, "en", '<span lang="pt-BR">Rua</span>', id="as HTML has it"),
        pytest.param("Saint-Amand", "en", "Saint-Amand", id="of none"),
        pytest.param({}, "en", "", id="nothing"),
        pytest.param({'"><b>': "x"}, "en", '<span lang="&#34;&gt;&lt;b&gt;">x</span>', id="wicked"),
    ],
)
def test_a_text_says_its_language_where_it_is_not_the_pages(
    environment: Environment, words: Words | str, language: str, html: str
) -> None:
    assert printed(environment, "{{ words | shown }}", words, language) == html


def test_within_a_sentence_it_alone_is_marked(environment: Environment) -> None:
    template = '{{ _("The draft of %(title)s.", title=words | shown) }}'
    said = printed(environment, template, FRENCH, "en")
    assert said == 'The draft of <span lang="fr">Stationnement &lt;b&gt;</span>.'


def test_where_html_takes_no_element_the_text_stands_alone(environment: Environment) -> None:
    template = '<option{{ words | shown | lang }} title="{{ words | shown | plain }}">'
    said = printed(environment, template, FRENCH, "en")
    assert said == '<option lang="fr" title="Stationnement &lt;b&gt;">'
    own = printed(environment, template, BOTH, "en")
    assert own == '<option title="Parking">'


def test_it_is_a_text_like_any_other() -> None:
    text = OtherTongue("Stationnement", "fr")
    assert (text[:2], len(text), f"{text}") == ("St", 13, "Stationnement")


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_attributes_take_texts_alone(file: Path) -> None:
    assert IN_AN_ATTRIBUTE.findall(file.read_text("utf-8")) == []


def test_an_attribute_that_would_hold_an_element_is_seen() -> None:
    assert IN_AN_ATTRIBUTE.search('<a title="{{ one.label | say }}">')
    assert not IN_AN_ATTRIBUTE.search('<a title="{{ one.label | say | plain }}">{{ x | say }}')
