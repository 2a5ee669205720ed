"""Numbers of requests."""

from datetime import UTC, datetime

from services.requests.domain.numbers import numbered, year_of


def test_a_number_is_the_year_and_six_digits() -> None:
    assert numbered(2026, 123) == "2026-000123"


def test_a_number_grows_past_a_million() -> None:
    assert numbered(2026, 1_000_000) == "2026-1000000"


def test_the_year_is_that_of_the_tenants_own_calendar() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert year_of(late, "Europe/Paris") == 2027
    assert year_of(late, "UTC") == 2026
    assert year_of(datetime(2027, 1, 1, 3, tzinfo=UTC), "America/Martinique") == 2026
