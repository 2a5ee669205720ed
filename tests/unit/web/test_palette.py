"""From any brand colour comes a palette of which every pair can be read."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis.web import palette
from chassis.web.palette import contrast

brands = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def read(one: str, other: str) -> bool:
    return contrast(one, other) >= palette.READABLE


@settings(max_examples=1000)
@given(brands)
@example("#ffffff")
@example("#000000")
@example("#767676")
@example("#808080")
@example("#ffd34d")
@example("#ffff00")
def test_every_pair_can_be_read_in_both_schemes(brand: str) -> None:
    for colours, grounds, inks in (
        (palette.light(brand), (palette.SURFACE, palette.GROUND), (palette.INK, palette.INK_2)),
        (
            palette.dark(brand),
            (palette.DARK_SURFACE, palette.DARK_GROUND),
            (palette.DARK_INK, palette.DARK_INK_2),
        ),
    ):
        assert read(colours.on_fill, colours.fill)
        assert read(colours.on_fill, colours.fill_hover)
        for ground in (*grounds, colours.tint):
            assert read(colours.action, ground)
            assert read(colours.action_hover, ground)
        for ground in (colours.tint, colours.tint_strong):
            assert all(read(ink, ground) for ink in inks)


@given(brands)
def test_a_button_can_be_told_from_its_page(brand: str) -> None:
    assert contrast(palette.light(brand).edge, palette.SURFACE) >= palette.TOLD_APART
    assert contrast(palette.dark(brand).edge, palette.DARK_SURFACE) >= palette.TOLD_APART


def test_a_brand_that_can_be_read_stays_as_it_is() -> None:
    assert palette.light("#1f5fa8").fill == "#1f5fa8"
    assert palette.light("#1f5fa8").action == "#1f5fa8"
    assert palette.light("#ffd34d").fill == "#ffd34d"
    assert palette.light("#ffd34d").on_fill == palette.INK


def test_the_demos_tints_are_the_manuals() -> None:
    assert palette.light("#1f5fa8").tint == "#ecf5ff"
    assert palette.light("#1f5fa8").tint_strong == "#d1e6ff"


def test_a_shade_keeps_its_hue() -> None:
    yellow = palette.light("#ffd34d").action
    red, green, blue = (int(yellow[at : at + 2], 16) for at in (1, 3, 5))
    assert red > green > blue  # a darker gold, neither grey nor green


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
