"""A tenant's palette, computed from its one brand colour so that every pair can be read.

Custom properties only; `guichet.css` uses them. Contrast is WCAG 2.2's.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

DEFAULT_BRAND = "#1f5fa8"
INK = "#1a2230"
WHITE = "#ffffff"
SURFACE, GROUND = "#ffffff", "#f3f5f8"
DARK_SURFACE, DARK_GROUND, DARK_INK = "#171c24", "#0f1319", "#e8ecf2"
READABLE = 4.5  # WCAG 2.2, 1.4.3

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as #rrggbb."""

    fill: str  # the masthead and the main button
    on_fill: str  # text on it
    fill_hover: str
    action: str  # links and borders, on surface, ground and tint
    action_hover: str
    tint: str  # a quiet background
    tint_strong: str


def light(brand: str) -> Palette:
    """The palette on a light page."""
    fill, on_fill = _fill(brand)
    tint = mixed(brand, WHITE, 0.09)
    action = _readable(brand, (SURFACE, GROUND, tint), toward="#000000")
    return Palette(
        fill=fill,
        on_fill=on_fill,
        fill_hover=_away(fill, on_fill),
        action=action,
        action_hover=mixed(action, "#000000", 0.72),
        tint=tint,
        tint_strong=mixed(brand, WHITE, 0.2),
    )


def dark(brand: str) -> Palette:
    """The palette on a dark page."""
    fill, on_fill = _fill(brand)
    tint = mixed(brand, DARK_SURFACE, 0.16)
    action = _readable(brand, (DARK_SURFACE, DARK_GROUND, tint), toward=WHITE)
    return Palette(
        fill=fill,
        on_fill=on_fill,
        fill_hover=_away(fill, on_fill),
        action=action,
        action_hover=mixed(action, WHITE, 0.72),
        tint=tint,
        tint_strong=mixed(brand, DARK_SURFACE, 0.3),
    )


def theme_css(brand: str) -> str:
    """The style sheet of a tenant with this brand colour: custom properties, light and dark."""
    if not is_colour(brand):
        brand = DEFAULT_BRAND
    return (
        f":root{{{_properties(light(brand))}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_properties(dark(brand))}}}}}\n"
    )


def theme_path(slug: str, brand: str) -> str:
    """Where a tenant's style sheet stands; the name changes with what it says."""
    digest = sha256(theme_css(brand).encode()).hexdigest()[:12]
    return f"/theme/{slug}-{digest}.css"


def is_colour(text: str) -> bool:
    """Is it written #rrggbb?"""
    return re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """So much of one, the rest of the other, in sRGB."""
    pairs = zip(_parsed(one), _parsed(other), strict=True)
    return _written(tuple(round(a * share + b * (1 - share)) for a, b in pairs))


def _fill(brand: str) -> tuple[str, str]:
    """The brand itself with white or ink on it; darkened only if neither can be read."""
    if contrast(brand, WHITE) >= READABLE:
        return brand, WHITE
    if contrast(brand, INK) >= READABLE:
        return brand, INK
    return _readable(brand, (WHITE,), toward="#000000"), WHITE


def _away(fill: str, text: str) -> str:
    """A shade further from its text, so that contrast grows."""
    return mixed(fill, "#000000" if text == WHITE else WHITE, 0.82)


def _readable(colour: str, grounds: tuple[str, ...], *, toward: str) -> str:
    """The colour, moved as little as it takes to be read on each of the grounds."""
    for hundredths in range(100, -1, -2):
        shade = mixed(colour, toward, hundredths / 100)
        if all(contrast(shade, ground) >= READABLE for ground in grounds):
            return shade
    return toward


def _properties(palette: Palette) -> str:
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in vars(palette).items())


def _parsed(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _written(colour: tuple[int, ...]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (_linear(part / 255) for part in _parsed(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
