"""Looking at a page as its readers will: widths, themes, large text, weight, accessibility.

A page is loaded once; the window and the media that it is shown in change under it.
"""

import gzip
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # has no types
    Axe,
)
from playwright.async_api import BrowserContext, Page

from tests.support.browser import NARROW, WIDE

NARROWEST = 320
HEIGHT = 900
SCREENSHOTS = "GUICHET_TEST_SCREENSHOTS"

LOOKS = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
"""The colours that a page is shown in. axe runs whole in each: a style sheet may hide or move
things in one of them alone."""

FAULTS = """async () => {
  const found = await axe.run(document, {
    resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
  });
  return {
    checked: found.passes.length,
    faults: found.violations.map((one) => [one.id, one.nodes.map((node) => node.target.join(" "))]),
  };
}"""
"""What axe finds by all its rules, best practices and WCAG 2.2's size of targets included, cut to
what is wrong: the whole is a hundred times longer, and takes as long to bring as to find."""

BUDGET = {
    "html": 40_000,
    "own css": 12_000,
    "own js": 10_000,
    "htmx": 16_500,
    "a font": 34_000,
}
"""Bytes, packed as browsers get them (UX §1)."""

WEIGHTS = """async () => {
  await document.fonts.ready;
  const brought = [
    ...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource"),
  ].map((one) => ({
    path: new URL(one.name).pathname, size: one.encodedBodySize, blocks: one.renderBlockingStatus,
  }));
  return [document.documentElement.outerHTML, brought];
}"""

WIDTHS = """() => {
  const root = document.documentElement;
  const plain = root.scrollWidth;
  root.style.fontSize = "200%";
  const large = root.scrollWidth;
  root.style.fontSize = "";
  return [plain, large];
}"""
"""How wide the content is, and how wide with text at 200 %."""


def pictures_go_to() -> Path | None:
    """The folder for pictures, where they are wanted."""
    folder = os.environ.get(SCREENSHOTS)
    return Path(folder) if folder else None


@dataclass
class Album:
    """The pages that were looked at, by name, and what was wrong with them."""

    prefix: str = ""  # of the pictures' names
    paths: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def opened(self, context: BrowserContext) -> Page:
        """A page to look at: axe is in whatever it shows, and colours change at once."""
        await context.add_init_script(Axe().axe_script)
        page = await context.new_page()
        await page.emulate_media(reduced_motion="reduce")
        return page

    async def look(self, page: Page, name: str) -> None:
        """Look at the page as it stands. Its document must have been loaded by `opened`'s page."""
        self.paths[name] = urlsplit(page.url).path
        await self._weigh(page, name)
        for width in (WIDE, NARROW):
            await self._widen(page, width)
            await self._check_width(page, name, width)
            for look, media in LOOKS.items():
                await page.emulate_media(**media)  # type: ignore[arg-type]  # literals, by name
                await self._check(page, f"{name} at {width}, {look}")
                await self._shoot(page, f"{name}-{width}-{look}")
            await page.emulate_media(color_scheme="light", forced_colors="none")
        await self._widen(page, NARROWEST)
        await self._check_width(page, name, NARROWEST)
        await self._widen(page, WIDE)

    async def _widen(self, page: Page, width: int) -> None:
        await page.set_viewport_size({"width": width, "height": HEIGHT})

    async def _check_width(self, page: Page, name: str, width: int) -> None:
        plain, large = await page.evaluate(WIDTHS)
        if plain > width:
            self.faults.append(f"{name} scrolls sideways at {width}: {plain} wide")
        if large > width and width != NARROWEST:
            self.faults.append(
                f"{name} with text at 200 % scrolls sideways at {width}: {large} wide"
            )

    async def _check(self, page: Page, where: str) -> None:
        """What axe finds."""
        found = await page.evaluate(FAULTS)
        assert found["checked"], "axe found nothing to check"
        self.faults += [f"{where}: {rule} {targets}" for rule, targets in found["faults"]]

    async def _weigh(self, page: Page, name: str) -> None:
        """The bytes of the page and of what it brings, and what its first paint waits for."""
        document, (html, *brought) = await page.evaluate(WEIGHTS)
        packed = len(gzip.compress(document.encode()))
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
        if folder := pictures_go_to():
            await page.screenshot(path=folder / f"{self.prefix}{name}.png", full_page=True)


def kind_of(path: str) -> str:
    """What of the budget a file counts for; nothing for what is not ours to weigh."""
    if path.endswith(".woff2"):
        return "a font"
    if path.startswith("/static/vendor/"):
        return "htmx"
    return {"css": "own css", "js": "own js"}.get(path.rpartition(".")[2], "")
