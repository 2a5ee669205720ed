"""What of a catalogue's file lacks a language is listed, with its line."""

import json
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from services.catalog.importing.marked_yaml import read_marked
from services.catalog.importing.schema import catalogue_schema, schema_text
from services.catalog.importing.untranslated import untranslated
from tests.unit.catalog.wrong_catalogues import GOOD, RICH, WRONG, but

DEMO = resources.files("guichet") / "demo"
DEMOS = sorted(one.name for one in DEMO.iterdir() if (one / "catalogue.yaml").is_file())
SCHEMA = Path(__file__).parents[3] / "docs" / "catalogue.schema.json"


def told(text: str, *languages: str) -> list[str]:
    """The list as it is printed."""
    return [str(one) for one in untranslated(text, languages)]


def test_each_text_that_lacks_a_language_is_listed() -> None:
    text = but("label: Téléphone", "label: {fr: Téléphone, en: Telephone}")
    assert told(text)[:3] == [
        "line 4: `title` lacks en: Pour vous recontacter",
        "line 10: `about` lacks en: tout le logiciel",
        "line 13: `title` lacks en: Anomalie",
    ]
    assert "Téléphone" not in "\n".join(told(text))


def test_the_languages_are_those_asked_for_those_named_or_those_used() -> None:
    single = GOOD.replace("{fr: Logiciel, en: Software}", "Logiciel")
    assert told(single) == []
    assert "line 9: `title` lacks de: Logiciel" in told(single, "de")
    assert "line 5: `title` lacks de: Matériel" in told(RICH, "de")
    assert told(RICH)[0] == "line 8: `title` lacks en: Panne"


def test_what_an_anchor_names_is_listed_once() -> None:
    text = but("title: Les faits", "title: &facts Les faits").replace(
        "label: Ce qui s’est passé", "label: *facts"
    )
    assert [one for one in told(text) if "Les faits" in one] == [
        "line 18: `title` lacks en: Les faits",
        "line 22: `label` lacks en: Les faits",
    ]


@pytest.mark.parametrize("name", DEMOS)
def test_the_demos_lack_no_translation(name: str) -> None:
    assert told((DEMO / name / "catalogue.yaml").read_text("utf-8"), "fr", "en") == []


# ── The schema for editors ───────────────────────────────────────────────────────────────────────


def test_the_schema_is_the_models() -> None:
    """Where it is not: guichet catalog schema > docs/catalogue.schema.json"""
    assert SCHEMA.read_text("utf-8") == schema_text()
    Draft202012Validator.check_schema(catalogue_schema())


@pytest.mark.parametrize("name", DEMOS)
def test_the_demos_fit_the_schema_and_name_it(name: str) -> None:
    file = DEMO / name / "catalogue.yaml"
    text = file.read_text("utf-8")
    assert list(Draft202012Validator(catalogue_schema()).iter_errors(read_marked(text).value)) == []
    named = next(line for line in text.splitlines() if "yaml-language-server" in line)
    path = Path(str(file)).parent / named.partition("$schema=")[2]
    assert path.resolve() == SCHEMA.resolve()


@pytest.mark.parametrize("text", [GOOD, RICH])
def test_good_files_fit_the_schema(text: str) -> None:
    assert list(Draft202012Validator(catalogue_schema()).iter_errors(read_marked(text).value)) == []


SHAPES = [
    "a missing key",
    "a misspelt key",
    "minutes in words",
    "an accent in a slug",
    "an unknown kind",
    "an unknown value to fill in",
    "a hundred files",
    "a condition with a key of its own",
    "entries without end",
    "a page without sections",
]


@pytest.mark.parametrize("name", SHAPES)
def test_an_editor_sees_a_wrong_shape(name: str) -> None:
    value = read_marked(WRONG[name].text).value
    assert list(Draft202012Validator(catalogue_schema()).iter_errors(value))


def test_every_key_is_explained_for_completion() -> None:
    schema = json.loads(schema_text())
    kinds = [schema, *schema["$defs"].values()]
    silent = [
        f"{kind['title']}.{name}"
        for kind in kinds
        for name, value in kind["properties"].items()
        if "description" not in value
    ]
    assert silent == []
