"""Static files never change under one name, and are never served stale under another."""

import gzip
from collections.abc import Callable, Iterator

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


@pytest.fixture
def _forgotten() -> Iterator[None]:
    """What was read before is read again, now and after."""
    cached = (assets._files, assets._linked, assets.assets, assets.asset)
    for one in cached:
        one.cache_clear()
    yield
    for one in cached:
        one.cache_clear()


@pytest.mark.usefixtures("_forgotten")
def test_what_npm_did_not_bring_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    font = b'@font-face { src: url("asset:vendor/font.woff2") }\n'
    files = {"a.css": font + b"body { color: red }\n"}
    monkeypatch.setattr(assets, "_files", lambda: files)
    assert asset("vendor/font.woff2") == ""
    assert assets.assets()["a.css"].content == b"body { color: red }\n"


@pytest.mark.usefixtures("_forgotten")
def test_a_style_sheet_names_what_npm_brought_by_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a.css": b'src: url("asset:vendor/b.woff2")', "vendor/b.woff2": b"font"}
    monkeypatch.setattr(assets, "_files", lambda: files)
    path = asset("vendor/b.woff2")
    assert assets.assets()["a.css"].content == f'src: url("{path}")'.encode()
    served = static_response(name_of(path), "gzip")
    assert (served.status_code, served.media_type, served.body) == (200, "font/woff2", b"font")
    assert "content-encoding" not in served.headers  # it is packed already


def test_own_css_weighs_no_more_than_promised() -> None:
    assert len(gzip.compress(assets.assets()["guichet.css"].content)) <= 12_000


def packed(chosen: Callable[[str], bool]) -> int:
    return sum(
        len(gzip.compress(one.content)) for one in assets.assets().values() if chosen(one.name)
    )


def test_scripts_weigh_no_more_than_promised() -> None:
    assert packed(lambda name: name.endswith(".js") and not name.startswith("vendor/")) <= 10_000
    assert packed(lambda name: name.startswith("vendor/h") and "hotkey" not in name) <= 16_500


def test_a_font_weighs_no_more_than_promised() -> None:
    fonts = [len(one.content) for one in assets.assets().values() if one.name.endswith(".woff2")]
    assert max(fonts, default=0) <= 34_000


def test_a_theme_is_kept_only_under_its_own_name() -> None:
    name = palette.theme_path("ypok", "#1f5fa8").removeprefix("/theme/")
    assert "immutable" in theme_response("ypok", "#1f5fa8", name).headers["cache-control"]
    assert theme_response("ypok", "#aa0000", name).headers["cache-control"] == "no-store"
