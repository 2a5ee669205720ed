"""The demo's tenants: of different trades, each whole in its languages, no word of them in code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.settings import Settings
from guichet.demo_data import DEMOS, demo_file, tenant_facts
from services.catalog.importing.read_catalogue import read_catalogue
from services.identity.domain.tenants import TenantFacts

CODE = ("chassis", "contracts", "gateway", "guichet", "services", "deploy")


def described(slug: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(demo_file(slug, "tenant.yaml"))
    return found


def facts_of(slug: str) -> TenantFacts:
    return tenant_facts(described(slug)["tenant"], Settings())


def words_in(value: Any) -> Iterator[dict[str, str]]:
    """Every text by language that there is in it."""
    if isinstance(value, dict):
        if value and all(re.fullmatch(r"[a-z]{2}", str(key)) for key in value):
            yield value
            return
        for one in value.values():
            yield from words_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from words_in(one)


def ids_in(value: Any) -> Iterator[str]:
    """Every id that stands in it."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name.endswith("_id") and isinstance(one, str):
                yield one
            yield from ids_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from ids_in(one)


def test_the_demo_tenants_differ_in_all_that_is_a_tenants_own() -> None:
    one, other = (facts_of(slug) for slug in DEMOS)
    assert one.brand.colour != other.brand.colour
    assert one.languages[0] != other.languages[0]
    assert one.timezone != other.timezone
    for own in ("slug", "host", "name", "support", "signature", "terms", "texts"):
        assert getattr(one, own) != getattr(other, own), own
    slugs = [
        {category.slug for category in read_catalogue(demo_file(slug, "catalogue.yaml")).categories}
        for slug in DEMOS
    ]
    assert not slugs[0] & slugs[1]


def test_ids_and_identifiers_are_of_one_thing() -> None:
    """Passwords are kept by identifier, for all the demo's tenants in one file."""
    by_tenant = [set(ids_in(described(slug))) for slug in DEMOS]
    assert not by_tenant[0] & by_tenant[1]
    names = [account["username"] for slug in DEMOS for account in described(slug)["accounts"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("slug", DEMOS)
def test_its_addresses_reach_nobody(slug: str) -> None:
    """RFC 2606 keeps .example for us."""
    text = demo_file(slug, "tenant.yaml") + demo_file(slug, "catalogue.yaml")
    domains = re.findall(r"[\w.+-]+@([\w.-]+\w)", text)
    assert domains
    assert {domain.rpartition(".")[2] for domain in domains} == {"example"}


def test_the_second_tenant_says_everything_in_both_languages() -> None:
    facts = facts_of(DEMOS[1])
    told = list(words_in(facts.model_dump()))
    catalogue = read_catalogue(demo_file(DEMOS[1], "catalogue.yaml"))
    for category in catalogue.categories:
        told += [category.title, category.about]
        for procedure in category.procedures:
            told += [procedure.title, procedure.description]
            if procedure.form is not None:
                told += words_in(procedure.form.model_dump(mode="json"))
    assert len(told) > 100
    assert [one for one in told if one and set(one) != set(facts.languages)] == []


def own_words(slug: str) -> set[str]:
    """What a tenant is called, and its products: words that stand nowhere else."""
    facts = facts_of(slug)
    catalogue = read_catalogue(demo_file(slug, "catalogue.yaml"))
    titles = [category.title[facts.languages[0]] for category in catalogue.categories]
    products = {title for title in titles if re.fullmatch(r"[A-Z]\w*[A-Z]\w*|P\w+e", title)}
    return {facts.name, facts.brand.portal_name, facts.support.phone, *products}


@pytest.mark.parametrize("slug", DEMOS)
def test_nothing_of_a_tenant_is_in_code(slug: str) -> None:
    """What a portal says of its tenant, it was told. Comments may name one as an example."""
    words = own_words(slug)
    assert len(words) >= 3
    assert slug != DEMOS[0] or {"YService", "YPolice", "YGRC"} <= words
    said = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words)))
    found = []
    for top in CODE:
        for file in Path(top).rglob("*"):
            if file.suffix not in {".py", ".html", ".txt", ".mjml", ".typ", ".po", ".js", ".css"}:
                continue
            text = without_comments(file)
            found += [f"{file}: {match[0]}" for match in said.finditer(text)]
    assert found == []


def without_comments(file: Path) -> str:
    """What the file does or says; of catalogues the translations, of code no comments."""
    text = file.read_text("utf-8")
    if file.suffix == ".py":
        text = re.sub(r'"""(?:.|\n)*?"""', "", text)
        return re.sub(r"#.*", "", text)
    return re.sub(r"\{#.*?#\}|/\*.*?\*/|<!--.*?-->", "", text, flags=re.DOTALL)
