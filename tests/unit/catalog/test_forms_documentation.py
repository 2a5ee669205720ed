"""What docs/forms.md shows can be imported as it stands, and it shows every kind of question."""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from services.catalog.importing.catalogue_yaml import WrittenPage
from services.catalog.importing.question_yaml import KindOf, WrittenField
from services.catalog.importing.read_catalogue import read_catalogue

TEXT = Path("docs/forms.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
QUESTIONS = re.findall(r"^\| `\w+` \|.*\| `(\{key: .*\})` \|$", TEXT, re.MULTILINE)
CATALOGUE = next(one for one in BLOCKS if "categories:" in one)


def whole(section: str = "", pages: str = "") -> str:
    """The catalogue of the page, with another section and with pages."""
    more = "".join(f"          {line}\n" for line in section.splitlines())
    after = "".join(f"        {line}\n" for line in pages.splitlines())
    return f"{CATALOGUE}{more}{after}"


def test_the_catalogue_is_one() -> None:
    [category] = read_catalogue(CATALOGUE).categories
    assert category.procedures[0].form is not None


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_one(question: str) -> None:
    written = yaml.safe_load(question)
    read = WrittenField.model_validate(written, context={"language": "en"})
    assert (read.key, read.kind) == (written["key"], written["kind"])


def test_every_kind_is_told() -> None:
    told = re.findall(r"^\| `(\w+)` \| ", TEXT, re.MULTILINE)
    assert sorted(told) == sorted(get_args(KindOf))
    assert len(QUESTIONS) == len(told)


def test_a_condition_entries_and_pages_are_such() -> None:
    condition = next(one for one in BLOCKS if "shown_when" in one and "categories" not in one)
    [asked] = yaml.safe_load(condition)
    assert asked["shown_when"] == {"field": "closed", "is": "yes"}
    WrittenField.model_validate(asked, context={"language": "en"})
    entries = next(one for one in BLOCKS if "repeats" in one)
    form = read_catalogue(whole(entries)).categories[0].procedures[0].form
    assert form is not None
    assert form.sections[-1].repeats is not None
    pages = yaml.safe_load(next(one for one in BLOCKS if one.startswith("pages:")))["pages"]
    for page in pages:
        WrittenPage.model_validate(page, context={"language": "en"})
