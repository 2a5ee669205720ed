"""Languages: catalogues on top of each other, and how instants and numbers are written."""

from datetime import UTC, date, datetime
from decimal import Decimal

import jinja2
import pytest

from chassis.web.i18n import (
    Catalogues,
    current_language,
    current_timezone,
    format_date,
    format_datetime,
    format_number,
    format_stamp,
    speaking,
)

INSTANT = datetime(2018, 4, 5, 13, 31, 13, tzinfo=UTC)


def test_a_sentence_is_said_in_french() -> None:
    assert Catalogues().translate("Sign in", "fr") == "Me connecter"


def test_a_part_speaks_with_the_words_that_all_share_and_with_its_own() -> None:
    catalogues = Catalogues("gateway")
    assert catalogues.translate("Sign in", "fr") == "Me connecter"
    assert (
        catalogues.translate("No portal at this address", "fr") == "Aucun portail à cette adresse"
    )
    assert Catalogues().translate("No portal at this address", "fr") == "No portal at this address"


def test_what_no_catalogue_has_stays_as_it_is() -> None:
    catalogues = Catalogues()
    assert catalogues.translate("Nowhere said", "fr") == "Nowhere said"
    assert catalogues.translate("", "fr") == ""


def test_an_unknown_language_is_answered_in_the_default_one() -> None:
    assert Catalogues().translate("Sign in", "xx") == "Me connecter"


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 point"), (1, "1 point"), (2, "2 points"), (7, "7 points")]
)
def test_in_french_nought_is_singular(number: int, said: str) -> None:
    sentence = (
        Catalogues()
        .translator("fr")
        .ngettext("One thing to put right", "%(num)d things to put right", number)
    )
    assert (sentence % {"num": number}).startswith(f"{said} ")


def test_templates_speak_the_current_language() -> None:
    environment = jinja2.Environment(autoescape=True)
    Catalogues().install(environment)
    template = environment.from_string(
        '{{ _("Error: %(title)s", title="<b>") }}|{{ {"fr": "Oui", "en": "Yes"} | shown }}'
        '|{{ "Sign in" | say }}'
    )
    assert template.render() == "Erreur\u00a0: &lt;b&gt;|Oui|Me connecter"


def test_words_are_made_in_every_language_there_is() -> None:
    assert Catalogues().words("Sign in") == {"en": "Sign in", "fr": "Me connecter"}


def test_speaking_ends_with_its_block() -> None:
    with speaking("en", "America/Cayenne"):
        assert (current_language.get(), current_timezone.get()) == ("en", "America/Cayenne")
        with speaking("fr"):
            assert current_timezone.get() == "America/Cayenne"
    assert (current_language.get(), current_timezone.get()) == ("fr", "Europe/Paris")


def test_instants_are_written_as_the_tenants_clocks_show_them() -> None:
    assert format_stamp(INSTANT, "Europe/Paris") == "05/04/2018 15:31:13"
    assert format_stamp(INSTANT, "America/Cayenne") == "05/04/2018 10:31:13"
    assert format_datetime(INSTANT, "Europe/Paris", "fr") == "5 avril 2018, 15:31"
    assert format_datetime(INSTANT, "Europe/Paris", "en_GB") == "5 April 2018, 15:31"


def test_the_clocks_of_winter_are_not_those_of_summer() -> None:
    winter = datetime(2018, 12, 5, 13, 31, 13, tzinfo=UTC)
    assert format_stamp(winter, "Europe/Paris") == "05/12/2018 14:31:13"


def test_days_and_numbers_are_written_as_the_language_does() -> None:
    assert format_date(date(2018, 4, 1), "fr") == "1 avril 2018"
    assert format_number(Decimal("1234.5678"), "fr") == "1\u202f234,5678"


def test_the_day_of_an_instant_is_the_one_of_the_tenants_clocks() -> None:
    nearly_midnight = datetime(2018, 4, 5, 22, 30, tzinfo=UTC)
    with speaking("fr", "Europe/Paris"):
        assert format_date(nearly_midnight) == "6 avril 2018"
    with speaking("fr", "America/Guadeloupe"):
        assert format_date(nearly_midnight) == "5 avril 2018"
