"""What Accept-Language asks for, of what there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.negotiation import accepted

OFFERED = ("fr", "en")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("en", "en"),
        ("EN-us", "en"),
        ("fr-CA, en;q=0.9", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de, en;q=0.5, fr;q=0.7", "fr"),
        ("de-CH, de;q=0.9", None),
        ("de, *;q=0.5", "fr"),
        ("*", "fr"),
        ("en, fr", "en"),  # liked alike: the one named first
        ("fr;q=0, *", "en"),
        ("fr;q=0, en;q=0", None),
        ("fr-CA;q=0, fr;q=0.5, en;q=0.4", "fr"),
        ("fr-CA;q=0", None),
        ("en ; q=0.2 ,\tfr ; q=0.1", "en"),
        ("en;q=1.000, fr;q=0.999", "en"),
        ("en;q=2, fr;q=0.1", "fr"),  # no weight: passed over
        ("en;q=0.1234, fr;q=0.1", "fr"),
        ("en;level=1, fr", "fr"),
        ("français, en;q=0.1", "en"),
        (",,en,,", "en"),
        ("x" * 9 + ", en", "en"),
        ("de," * 40 + "en", None),  # nobody reads that far
    ],
)
def test_the_language_that_is_liked_best_is_taken(header: str, language: str | None) -> None:
    assert accepted(header, OFFERED) == language


def test_a_language_of_a_country_is_told_from_the_one_of_another() -> None:
    offered = ("pt_PT", "pt-BR", "en")
    assert accepted("pt-br", offered) == "pt-BR"
    assert accepted("pt", offered) == "pt_PT"
    assert accepted("pt-PT;q=0.1, pt;q=0.9", offered) == "pt-BR"


@given(st.text(max_size=200))
def test_whatever_is_sent_is_answered(header: str) -> None:
    assert accepted(header, OFFERED) in {None, *OFFERED}
