"""A tenant's palette, computed from its one brand colour so that every pair can be read.

Shades are made in OKLCH, where a colour grows lighter or darker and stays the same hue to the eye,
then fitted to what screens show. Custom properties only; `guichet.css` uses them. Contrast is
WCAG 2.2's, measured on the colours as they are written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from coloraide import Color

DEFAULT_BRAND = "#1f5fa8"
INK, INK_2 = "#1a2230", "#4a5568"
WHITE = "#ffffff"
SURFACE, GROUND = "#ffffff", "#f3f5f8"
DARK_SURFACE, DARK_GROUND = "#171c24", "#0f1319"
DARK_INK, DARK_INK_2 = "#e8ecf2", "#a9b4c4"
READABLE = 4.5  # WCAG 2.2, 1.4.3
AT_NIGHT = 5.5  # links on a dark page: thin strokes glare there
TOLD_APART = 1.8  # a button from the page; what it says reaches READABLE

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as #rrggbb."""

    fill: str  # the masthead and the main button
    on_fill: str  # text on it
    fill_hover: str
    edge: str  # around a button: its fill, unless that would be lost on the page
    action: str  # links and borders, on surface, ground and tint
    action_hover: str
    tint: str  # a quiet background
    tint_strong: str


@lru_cache(maxsize=1024)
def light(brand: str) -> Palette:
    """The palette on a light page."""
    fill, on_fill = _fill(brand)
    tint, tint_strong = _tint(brand, 0.967, 0.14), _tint(brand, 0.918, 0.32)
    action = _moved(brand, 0, _readable_on(SURFACE, GROUND, tint))
    return Palette(
        fill=fill,
        on_fill=on_fill,
        fill_hover=_away(fill, on_fill),
        edge=fill if contrast(fill, SURFACE) >= TOLD_APART else action,
        action=action,
        action_hover=_shifted(action, -0.09),
        tint=tint,
        tint_strong=tint_strong,
    )


@lru_cache(maxsize=1024)
def dark(brand: str) -> Palette:
    """The palette on a dark page."""
    seen = _moved(brand, 1, lambda shade: contrast(shade, DARK_SURFACE) >= TOLD_APART)
    fill, on_fill = _fill(seen)
    tint, tint_strong = _tint(brand, 0.265, 0.25), _tint(brand, 0.32, 0.38)
    action = _moved(brand, 1, _readable_on(DARK_SURFACE, DARK_GROUND, tint, least=AT_NIGHT))
    return Palette(
        fill=fill,
        on_fill=on_fill,
        fill_hover=_away(fill, on_fill),
        edge=fill,
        action=action,
        action_hover=_shifted(action, 0.07),
        tint=tint,
        tint_strong=tint_strong,
    )


@lru_cache(maxsize=1024)
def theme_css(brand: str) -> str:
    """The style sheet of a tenant with this brand colour: custom properties, light and dark.

    Dark where the system asks for it and the reader did not choose, or where they chose it.
    """
    if not is_colour(brand):
        brand = DEFAULT_BRAND
    night = _properties(dark(brand))
    return (
        f":root{{{_properties(light(brand))}}}\n"
        f"@media screen and (prefers-color-scheme:dark)"
        f"{{:root:not([data-theme=light]){{{night}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{night}}}}}\n"
    )


@lru_cache(maxsize=4096)
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


def _fill(brand: str) -> tuple[str, str]:
    """The brand itself with white or ink on it; nudged darker only if neither can be read."""
    if contrast(brand, WHITE) >= READABLE:
        return brand, WHITE
    if contrast(brand, INK) >= READABLE:
        return brand, INK
    return _moved(brand, 0, _readable_on(WHITE)), WHITE


def _away(fill: str, text: str) -> str:
    """A shade further from its text, so that contrast grows."""
    return _shifted(fill, -0.055 if text == WHITE else 0.055)


def _tint(brand: str, lightness: float, share: float) -> str:
    """A quiet background of the brand's hue: so light, with that share of its colourfulness."""
    _, chroma, hue = _oklch(brand)
    return _written(lightness, min(chroma, 0.14) * share, hue)


def _readable_on(*grounds: str, least: float = READABLE) -> Callable[[str], bool]:
    return lambda shade: all(contrast(shade, ground) >= least for ground in grounds)


def _moved(colour: str, end: float, serves: Callable[[str], bool]) -> str:
    """The shade nearest to the colour that serves, on the way to that end of lightness."""
    if serves(colour):
        return colour.lower()
    start, chroma, hue = _oklch(colour)
    near, far = 0.0, 1.0  # shares of the way; the far one serves
    for _ in range(8):
        middle = (near + far) / 2
        if serves(_written(start + (end - start) * middle, chroma, hue)):
            far = middle
        else:
            near = middle
    return _written(start + (end - start) * far, chroma, hue)


def _shifted(colour: str, by: float) -> str:
    lightness, chroma, hue = _oklch(colour)
    return _written(min(max(lightness + by, 0), 1), chroma, hue)


def _oklch(colour: str) -> tuple[float, float, float]:
    """Lightness, chroma and hue; a grey has the hue 0."""
    lightness, chroma, hue = Color(colour).convert("oklch").coords(nans=False)
    return lightness, chroma, hue


def _written(lightness: float, chroma: float, hue: float) -> str:
    """As #rrggbb, with as much chroma as sRGB has room for."""
    colour = Color("oklch", [lightness, chroma, hue]).fit("srgb", method="oklch-chroma")
    return str(colour.convert("srgb").clip().to_string(hex=True, fit=False))


def _properties(palette: Palette) -> str:
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in vars(palette).items())


def _parsed(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (_linear(part / 255) for part in _parsed(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
