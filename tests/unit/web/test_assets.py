"""Static files never change under one name, and are never served stale under another."""

import gzip

import pytest

from chassis.web import assets, palette
from chassis.web.assets import asset, static_response, theme_response


def name_of(path: str) -> str:
    return path.removeprefix("/static/")


def test_a_file_is_served_for_ever_under_the_name_with_its_hash() -> None:
    response = static_response(name_of(asset("guichet.css")))
    assert response.status_code == 200
    assert response.media_type == "text/css"
    assert "immutable" in response.headers["cache-control"]
    assert response.body == assets.assets()["guichet.css"].content


def test_another_versions_name_gets_this_versions_file_not_to_be_kept() -> None:
    response = static_response("guichet.0123456789ab.css")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    ["guichet.css", "nothing.0123456789ab.css", "../pages.0123456789ab.py", "", "a" * 5000],
)
def test_nothing_else_is_served(name: str) -> None:
    assert static_response(name).status_code == 404


def test_an_unknown_file_is_an_error_of_the_template() -> None:
    with pytest.raises(KeyError):
        asset("nothing.css")


def test_text_is_sent_small_to_whoever_takes_it() -> None:
    response = static_response(name_of(asset("guichet.css")), "gzip, br")
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(response.body)) == assets.assets()["guichet.css"].content


def test_own_css_weighs_no_more_than_promised() -> None:
    assert len(gzip.compress(assets.assets()["guichet.css"].content)) <= 12_000


def test_a_theme_is_kept_only_under_its_own_name() -> None:
    name = palette.theme_path("ypok", "#1f5fa8").removeprefix("/theme/")
    assert "immutable" in theme_response("ypok", "#1f5fa8", name).headers["cache-control"]
    assert theme_response("ypok", "#aa0000", name).headers["cache-control"] == "no-store"
