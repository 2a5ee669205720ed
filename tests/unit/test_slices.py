"""The slices of a service keep apart: each serves one kind of person and knows of no other.

A slice is a package of a service with pages of its own. What two of them need stands in the
service's `domain/` and `tables.py`, which know of no slice either. Slices are found, not listed.
"""

from itertools import permutations
from pathlib import Path

import grimp
import pytest

SERVICES = Path("services")


def slices_of(service: str) -> list[str]:
    """The packages of a service that have pages."""
    return sorted(
        f"services.{service}.{pages.parent.name}"
        for pages in (SERVICES / service).glob("*/pages.py")
    )


def services() -> list[str]:
    """Every service there is."""
    return sorted(path.parent.name for path in SERVICES.glob("*/__init__.py"))


def illegal_imports(graph: grimp.ImportGraph, slices: list[str]) -> list[str]:
    """Each way by which one slice comes to import another, through others too."""
    return [
        " → ".join(chain)
        for importer, imported in permutations(slices, 2)
        if importer in graph.modules and imported in graph.modules
        for chain in graph.find_shortest_chains(importer, imported, as_packages=True)
    ]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom in the services."""
    return grimp.build_graph("services", cache_dir=".cache/grimp")


@pytest.mark.parametrize("service", services())
def test_no_slice_imports_another(graph: grimp.ImportGraph, service: str) -> None:
    assert illegal_imports(graph, slices_of(service)) == []


def test_the_search_finds_an_import_through_a_third_module() -> None:
    graph = grimp.ImportGraph()
    for module in ("s.filing", "s.filing.pages", "s.words", "s.following", "s.following.queries"):
        graph.add_module(module)
    graph.add_import(importer="s.filing.pages", imported="s.words")
    graph.add_import(importer="s.words", imported="s.following.queries")
    assert illegal_imports(graph, ["s.filing", "s.following"]) == [
        "s.filing.pages → s.words → s.following.queries"
    ]
