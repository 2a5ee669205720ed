"""Looking at a page as its readers will: widths, themes, large text, weight, accessibility.

A page is loaded once; the window and the media that it is shown in change under it.
"""

import gzip
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # has no types
    Axe,
)
from playwright.async_api import Page

from tests.support.browser import NARROW, WIDE

NARROWEST = 320
HEIGHT = 900
SCREENSHOTS = "GUICHET_TEST_SCREENSHOTS"

BY_COLOUR = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""What of axe's rules another theme can break: the rest looks at what is there, not how."""

BUDGET = {
    "html": 40_000,
    "own css": 12_000,
    "own js": 10_000,
    "htmx": 16_500,
    "a font": 34_000,
}
"""Bytes, packed as browsers get them (UX §1)."""

WEIGHTS = """() => [
  ...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource"),
].map((one) => ({
  path: new URL(one.name).pathname, size: one.encodedBodySize, blocks: one.renderBlockingStatus,
}))"""

LARGE_TEXT = "(on) => { document.documentElement.style.fontSize = on ? '200%' : '' }"


@dataclass
class Album:
    """The pages that were looked at, by name, and what was wrong with them."""

    prefix: str = ""  # of the pictures' names
    paths: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def look(self, page: Page, name: str) -> None:
        """Look at the page as it stands."""
        self.paths[name] = urlsplit(page.url).path
        await self._weigh(page, name)
        await page.emulate_media(reduced_motion="reduce")  # else colours are on their way to others
        await page.evaluate("document.fonts.ready")
        await page.evaluate(Axe().axe_script)
        for width in (WIDE, NARROW):
            await self._widen(page, width)
            await self._check_width(page, name, width)
            await self._check(page, f"{name} at {width}")
            await self._shoot(page, f"{name}-{width}")
            await page.emulate_media(color_scheme="dark")
            await self._check(page, f"{name} at {width} in the dark", BY_COLOUR)
            await self._shoot(page, f"{name}-{width}-dark")
            await page.emulate_media(color_scheme="light", forced_colors="active")
            await self._check(page, f"{name} at {width} in forced colours", BY_COLOUR)
            await page.emulate_media(color_scheme="light", forced_colors="none")
            await page.evaluate(LARGE_TEXT, True)
            await self._check_width(page, f"{name} with text at 200 %", width)
            await page.evaluate(LARGE_TEXT, False)
        await self._widen(page, NARROWEST)
        await self._check_width(page, name, NARROWEST)
        await self._widen(page, WIDE)

    async def _widen(self, page: Page, width: int) -> None:
        await page.set_viewport_size({"width": width, "height": HEIGHT})

    async def _check_width(self, page: Page, name: str, width: int) -> None:
        content = await page.evaluate("document.documentElement.scrollWidth")
        if content > width:
            self.faults.append(f"{name} scrolls sideways at {width}: {content} wide")

    async def _check(self, page: Page, where: str, options: dict[str, Any] | None = None) -> None:
        """What axe finds, best practices included."""
        found = await page.evaluate("(options) => axe.run(document, options)", options or {})
        assert found["passes"] or options, "axe found nothing to check"
        for violation in found["violations"]:
            targets = [node["target"] for node in violation["nodes"]]
            self.faults.append(f"{where}: {violation['id']} {targets}")

    async def _weigh(self, page: Page, name: str) -> None:
        """The bytes of the page and of what it brings, and what its first paint waits for."""
        html, *brought = await page.evaluate(WEIGHTS)
        packed = len(gzip.compress((await page.content()).encode()))
        sums = dict.fromkeys(BUDGET, 0)
        sums["html"] = min(html["size"], packed) or packed
        for one in brought:
            kind = kind_of(one["path"])
            if kind == "a font":
                sums[kind] = max(sums[kind], one["size"])
            elif kind:
                sums[kind] += one["size"]
            if one["blocks"] == "blocking" and not one["path"].endswith(".css"):
                self.faults.append(f"{name}: its first paint waits for {one['path']}")
        for kind, most in BUDGET.items():
            if sums[kind] > most:
                self.faults.append(f"{name}: {kind} of {sums[kind]} bytes, {most} at most")

    async def _shoot(self, page: Page, name: str) -> None:
        folder = os.environ.get(SCREENSHOTS)
        if folder:
            await page.screenshot(path=Path(folder) / f"{self.prefix}{name}.png", full_page=True)


def kind_of(path: str) -> str:
    """What of the budget a file counts for; nothing for what is not ours to weigh."""
    if path.endswith(".woff2"):
        return "a font"
    if path.startswith("/static/vendor/"):
        return "htmx"
    return {"css": "own css", "js": "own js"}.get(path.rpartition(".")[2], "")
