"""Browsers as people call them, for the list of sessions: nothing is decided by it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A browser and what it runs on, by their makers' names; empty where they are not known."""

    browser: str
    system: str


UNKNOWN = Device("", "")

_BROWSERS = (  # the first that fits: most claim to be Safari, and many to be Chrome
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Version/[\d.]+.* Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux"),
)


def device_of(user_agent: str) -> Device:
    """What a browser says of itself in the header `User-Agent`."""
    return Device(_first(_BROWSERS, user_agent[:512]), _first(_SYSTEMS, user_agent[:512]))


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, text)), "")
