"""From any brand colour comes a palette of which every pair can be read."""

from hypothesis import example, given
from hypothesis import strategies as st

from chassis.web import palette
from chassis.web.palette import contrast

brands = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def read(one: str, other: str) -> bool:
    return contrast(one, other) >= palette.READABLE


@given(brands)
@example("#ffffff")
@example("#000000")
@example("#767676")
@example("#808080")
@example("#ffd34d")
def test_every_pair_of_a_light_page_can_be_read(brand: str) -> None:
    colours = palette.light(brand)
    assert read(colours.on_fill, colours.fill)
    assert read(colours.on_fill, colours.fill_hover)
    for ground in (palette.SURFACE, palette.GROUND, colours.tint):
        assert read(colours.action, ground)
        assert read(colours.action_hover, ground)
    for ground in (colours.tint, colours.tint_strong):
        assert read(palette.INK, ground)


@given(brands)
@example("#ffffff")
@example("#000000")
@example("#808080")
@example("#ffff00")
def test_every_pair_of_a_dark_page_can_be_read(brand: str) -> None:
    colours = palette.dark(brand)
    assert read(colours.on_fill, colours.fill)
    assert read(colours.on_fill, colours.fill_hover)
    for ground in (palette.DARK_SURFACE, palette.DARK_GROUND, colours.tint):
        assert read(colours.action, ground)
        assert read(colours.action_hover, ground)
    for ground in (colours.tint, colours.tint_strong):
        assert read(palette.DARK_INK, ground)


def test_a_brand_that_can_be_read_stays_as_it_is() -> None:
    assert palette.light("#1f5fa8").fill == "#1f5fa8"
    assert palette.light("#1f5fa8").action == "#1f5fa8"
    assert palette.light("#ffd34d").fill == "#ffd34d"
    assert palette.light("#ffd34d").on_fill == palette.INK


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#1f5fa8", "#ffffff"), 1) == 6.4


def test_a_theme_holds_custom_properties_only_and_no_text_of_a_tenant() -> None:
    sheet = palette.theme_css("red;}body{display:none")
    assert sheet == palette.theme_css(palette.DEFAULT_BRAND)
    assert "display" not in sheet
    assert sheet.startswith(":root{--fill:#1f5fa8;")


def test_a_themes_name_changes_with_its_colour() -> None:
    assert palette.theme_path("ypok", "#1f5fa8") != palette.theme_path("ypok", "#1f5fa9")
