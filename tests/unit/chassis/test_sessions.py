"""The session's cookie, as it is set and cleared."""

from typing import Literal

import pytest
from starlette.responses import Response

from chassis.sessions import (
    browser_cookie_name,
    clear_session_cookie,
    session_cookie_name,
    set_session_cookie,
)
from chassis.settings import Settings


def parts_of(response: Response) -> tuple[str, set[str]]:
    """Name and value, and the attributes, of the one cookie that is set."""
    [cookie] = [v.decode() for n, v in response.raw_headers if n == b"set-cookie"]
    first, *attributes = cookie.split("; ")
    return first, {one for one in attributes if not one.startswith("expires")}


@pytest.mark.parametrize(
    ("scheme", "name", "secure"),
    [("https", "__Host-guichet", {"Secure"}), ("http", "guichet", set())],
)
def test_a_sessions_cookie_is_for_this_host_alone_and_for_no_script(
    scheme: Literal["http", "https"], name: str, secure: set[str]
) -> None:
    settings = Settings(public_scheme=scheme)
    assert session_cookie_name(settings) == name
    assert browser_cookie_name(settings) == f"{name}-browser"
    response = Response()
    set_session_cookie(response, settings, "value")
    first, attributes = parts_of(response)
    assert first == f"{name}=value"
    assert attributes == {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=2592000", *secure}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_is_cleared_as_it_was_set(scheme: Literal["http", "https"]) -> None:
    settings = Settings(public_scheme=scheme)
    kept, cleared = Response(), Response()
    set_session_cookie(kept, settings, "value")
    clear_session_cookie(cleared, settings)
    first, attributes = parts_of(cleared)
    assert first == f'{session_cookie_name(settings)}=""'
    assert "Max-Age=0" in attributes
    without_age = {one for one in attributes if not one.startswith("Max-Age")}
    assert without_age == {one for one in parts_of(kept)[1] if not one.startswith("Max-Age")}
