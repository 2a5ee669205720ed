"""The demo's tenants, as their files describe them: what journeys take from no list by hand."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from guichet.demo_data import DEMO, demo_file


@dataclass(frozen=True)
class Demo:
    """A demo tenant, cut to what a journey asks of it."""

    slug: str
    languages: tuple[str, ...]
    procedure: dict[str, str]  # the title of one that has a form, by language
    procedure_slug: str
    category: str  # the slug of the one that it belongs to

    def __str__(self) -> str:
        return self.slug


@cache
def demos() -> tuple[Demo, ...]:
    """All that there are, the reference tenant first."""
    folders = [one for one in (resources.files("guichet") / "demo").iterdir() if one.is_dir()]
    slugs = {one.name for one in folders if (one / "tenant.yaml").is_file()}
    return tuple(demo(slug) for slug in [DEMO, *sorted(slugs - {DEMO})])


@cache
def demo(slug: str) -> Demo:
    """The demo tenant of that slug."""
    tenant = yaml.safe_load(demo_file(slug, "tenant.yaml"))["tenant"]
    catalogue = yaml.safe_load(demo_file(slug, "catalogue.yaml"))
    category, first = next(
        (category, one)
        for category in catalogue["categories"]
        for one in category["procedures"]
        if one.get("opens", "form") == "form"
    )
    title = _words(first["title"], catalogue["language"])
    return Demo(slug, tuple(tenant["languages"]), title, first["slug"], category["slug"])


def _words(text: Any, language: str) -> dict[str, str]:
    return text if isinstance(text, dict) else {language: text}
