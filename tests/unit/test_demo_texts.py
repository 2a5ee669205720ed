"""The texts of the demo's tenants say what is a heading, so that pages show it as one."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from guichet.demo_data import DEMOS, demo_file


def texts(tenant: str) -> Iterator[tuple[str, str]]:
    """Every text of the tenant by its name and language."""
    facts: dict[str, Any] = yaml.safe_load(demo_file(tenant, "tenant.yaml"))["tenant"]
    for name, words in {"terms": facts["terms"], **facts["texts"]}.items():
        for language, text in words.items():
            yield f"{name} in {language}", text


@pytest.mark.parametrize("tenant", DEMOS)
def test_what_is_no_sentence_is_a_heading(tenant: str) -> None:
    nameless = {
        (name, block)
        for name, text in texts(tenant)
        for block in text.strip().split("\n\n")
        if not block.startswith("## ") and not block.rstrip().endswith((".", ":", "!", "?"))
    }
    assert nameless == set()
    assert any(block.startswith("## ") for _, text in texts(tenant) for block in text.split("\n\n"))
