"""`guichet catalog …`, where no tenant is needed: what lacks a language, the schema for editors."""

from pathlib import Path

from typer.testing import CliRunner

from guichet.cli import app
from services.catalog.importing.schema import schema_text
from tests.unit.catalog.wrong_catalogues import GOOD, WRONG


def run(*words: str, status: int = 0) -> str:
    """The command's output."""
    done = CliRunner().invoke(app, ["catalog", *words])
    assert done.exit_code == status, done.output
    return done.output


def test_what_lacks_a_language_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(GOOD, "utf-8")
    listed = run("untranslated", str(file)).splitlines()
    assert listed[0] == "line 4: `title` lacks en: Pour vous recontacter"
    more = run("untranslated", str(file), "--language", "de", "--language", "en")
    assert "line 9: `title` lacks de: Logiciel" in more


def test_a_wrong_file_is_told_by_its_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    wrong = WRONG["a condition on nothing"]
    file.write_text(wrong.text, "utf-8")
    assert f"line {wrong.line}: {wrong.what} {wrong.mend}" in run(
        "untranslated", str(file), status=1
    )
    assert "can't be read" in run("untranslated", str(tmp_path / "none.yaml"), status=1)


def test_the_schema_is_printed() -> None:
    assert run("schema") == schema_text()
