"""Path to part."""

import pytest

from gateway.routing import PREFIXES, part_of


def test_home_is_the_catalogs() -> None:
    assert part_of("/") == "catalog"


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_first_segment_decides(prefix: str) -> None:
    part = PREFIXES[prefix]
    assert part_of(prefix) == part_of(f"{prefix}/") == part_of(f"{prefix}/a/b") == part


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/internal",
        "/internal/tenants",
        "//internal/tenants",
        "///sign-in",
        "//sign-in",
        "/./sign-in",
        "/../internal",
        "/sign-inn",
        "/Sign-In",
        "/signin",
        "sign-in",
        "/livez",
        "/nothing",
        "/\\sign-in",
        "/%2finternal",
    ],
)
def test_what_no_part_serves(path: str) -> None:
    assert part_of(path) is None
