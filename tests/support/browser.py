"""A real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, async_playwright

WIDE = 1280
NARROW = 390

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The browser's program."""
    named = os.environ.get("GUICHET_TEST_CHROMIUM") or shutil.which("chromium")
    if named is None:
        raise RuntimeError(
            "The journeys need Debian's chromium: apt-get install chromium, or set"
            " GUICHET_TEST_CHROMIUM to a Chromium of your own."
        )
    return named


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A browser without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=ARGUMENTS, timeout=60_000
        )
        try:
            yield browser
        finally:
            await browser.close()


async def context_of(
    browser: Browser, width: int = WIDE, *, scripts: bool = True, locale: str = "fr-FR"
) -> BrowserContext:
    """A browser profile of its own, as wide as that, whose person reads that language."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, locale=locale, java_script_enabled=scripts
    )
    context.set_default_timeout(15_000)
    return context
