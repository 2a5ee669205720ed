"""Headers that every answer carries, and those that none may bring."""

import re

import pytest

from gateway.headers import INTERNAL, SECURITY, inward, outward


def as_dict(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By name; fails for a header that stands twice."""
    names = [name.lower() for name, _ in headers]
    assert len(names) == len(set(names))
    return {name.decode().lower(): value.decode() for name, value in headers}


def test_the_content_policy_allows_nothing_unsafe() -> None:
    policy = SECURITY["content-security-policy"]
    directives = {one.split()[0]: one.split()[1:] for one in policy.split(";")}
    assert "unsafe" not in policy
    assert "*" not in policy
    assert not re.search(r"https?:", policy)
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == directives["style-src"] == ["'self'"]
    assert directives["base-uri"] == directives["frame-ancestors"] == ["'none'"]
    assert directives["form-action"] == ["'self'"]


def test_a_parts_answer_gets_all_of_them() -> None:
    found = as_dict(outward([(b"content-type", b"text/html")], https=False))
    assert found == {"content-type": "text/html", "cache-control": "no-store", **SECURITY}


def test_over_https_only_https_is_to_be_used() -> None:
    found = as_dict(outward([], https=True))
    assert int(found["strict-transport-security"].removeprefix("max-age=")) >= 31_536_000


def test_a_part_keeps_its_own_caching_and_nothing_weaker() -> None:
    given = [
        (b"Cache-Control", b"private, no-cache"),
        (b"Content-Security-Policy", b"default-src *"),
        (b"X-Frame-Options", b"ALLOWALL"),
    ]
    found = as_dict(outward(given, https=False))
    assert found == {"cache-control": "private, no-cache", **SECURITY}


def test_cookies_are_passed_on_each_by_itself() -> None:
    cookies = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    kept = [one for one in outward(cookies, https=False) if one[0] == b"set-cookie"]
    assert kept == cookies


@pytest.mark.parametrize(
    "name", [*sorted(INTERNAL), b"X-Guichet-Token", b"x-guichet-anything", b"X-GUICHET", b"Cookie"]
)
def test_what_is_ours_to_give_is_taken_off(name: bytes) -> None:
    kept = [(b"accept", b"text/html"), (b"user-agent", b"x")]
    assert inward([kept[0], (name, b"mine"), kept[1]]) == kept
