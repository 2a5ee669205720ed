"""Looking at a page as its readers will: widths, accessibility, nothing that scrolls sideways."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # has no types
    Axe,
)
from playwright.async_api import Page

from tests.support.browser import NARROW, WIDE

NARROWEST = 320
HEIGHT = 900
SCREENSHOTS = "GUICHET_TEST_SCREENSHOTS"


@dataclass
class Album:
    """The pages that were looked at, by name, and what was wrong with them."""

    paths: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def look(self, page: Page, name: str) -> None:
        """Look at the page as it stands: axe at two widths, sideways scrolling at three."""
        self.paths[name] = urlsplit(page.url).path
        for width in (WIDE, NARROW, NARROWEST):
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            content = await page.evaluate("document.documentElement.scrollWidth")
            if content > width:
                self.faults.append(f"{name} scrolls sideways at {width}: {content} wide")
            if width == NARROWEST:
                continue
            found = await Axe().run(page)
            assert found.response["passes"], "axe found nothing to check"
            for violation in found.response["violations"]:
                where = [node["target"] for node in violation["nodes"]]
                self.faults.append(f"{name} at {width}: {violation['id']} {where}")
            await self._shoot(page, f"{name}-{width}")
        await page.set_viewport_size({"width": WIDE, "height": HEIGHT})

    async def _shoot(self, page: Page, name: str) -> None:
        folder = os.environ.get(SCREENSHOTS)
        if folder:
            await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
