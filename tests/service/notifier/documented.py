"""The rows of docs/delivery.md's tables: what each says must be tried, and nothing else be."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "delivery.md"


def rows_under(heading: str) -> list[str]:
    """What stands first in each row of the table "a relay that" under this heading, sorted."""
    words = DOCUMENT.read_text("utf-8")
    section = words[words.index(f"# {heading}\n") :].split("\n#", 1)[0]
    listed: list[str] = re.findall(r"^\| ([a-z][^|]*?) \|", section, re.MULTILINE)
    assert listed[0] == "a relay that"
    return sorted(listed[1:])
