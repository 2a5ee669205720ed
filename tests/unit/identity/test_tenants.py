"""Tenants: host names, facts, and texts."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.identity.domain.attempts import attempts_id
from services.identity.domain.tenants import normalised_host
from services.identity.domain.texts import Block, blocks
from tests.builders.identity import tenant_facts


@pytest.mark.parametrize(
    ("host", "normalised"),
    [
        ("YPOK.localhost", "ypok.localhost"),
        ("ypok.localhost:8080", "ypok.localhost"),
        ("ypok.localhost.", "ypok.localhost"),
        ("démo.example", "xn--dmo-bma.example"),
    ],
)
def test_a_host_is_looked_up_in_one_form(host: str, normalised: str) -> None:
    assert normalised_host(host) == normalised


@pytest.mark.parametrize("host", ["", "a b", "x" * 300, "-a.example", "a..b", "a/b", "[::1]:80"])
def test_what_no_host_header_holds_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="not a host name"):
        normalised_host(host)


@pytest.mark.parametrize(
    "change",
    [
        {"slug": "Not A Slug"},
        {"timezone": "Europe/Nowhere"},
        {"languages": ()},
        {"origin": "ypok.example"},
        {"password_minimum": 8},
        {"unknown": 1},
    ],
)
def test_facts_are_checked(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        tenant_facts(**change)


def test_texts_are_cut_into_headings_lists_and_paragraphs() -> None:
    assert blocks("## Qui\r\n\r\nYPOK\nLyon\n\n\n- un\n- deux\n") == [
        Block("heading", ("Qui",)),
        Block("paragraph", ("YPOK", "Lyon")),
        Block("list", ("un", "deux")),
    ]
    assert blocks("") == []


def test_attempts_are_counted_under_a_keyed_hash() -> None:
    assert attempts_id(b"k" * 32, "lyon") == attempts_id(b"k" * 32, "lyon")
    assert attempts_id(b"k" * 32, "lyon") != attempts_id(b"l" * 32, "lyon")
    assert attempts_id(b"k" * 32, "lyon") != attempts_id(b"k" * 32, "lyon-2")
