"""Every mail as it is looked at: in each language, light and dark, on a desk and on a telephone.

In each language it is a mail of the demo's tenant that speaks that one first.

Templates are found by themselves. With `GUICHET_TEST_SCREENSHOTS` naming a folder, pictures of all
are kept there.
"""

import os
import random
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # has no types
    Axe,
)
from playwright.async_api import Browser, Page

from services.notifier.delivery.templates import CATALOGUES
from services.notifier.domain.kinds import Template
from tests.builders.notifier import a_tenant
from tests.support.album import SCREENSHOTS
from tests.support.browser import NARROW, context_of
from tests.support.mails import a_demo_tenant, a_mail, words_of

pytestmark = pytest.mark.xdist_group("journeys")

DESK = 700
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
READABLE = 4.5  # WCAG 2.2, 1.4.3

# For each piece of text: its colour, and the first ground behind it that is not see-through.
PAIRS = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode, holder = text.parentElement;
    if (!text.data.trim() || !holder.getClientRects().length) continue;
    let ground = holder;
    while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)')
      ground = ground.parentElement;
    found.push([text.data.trim(), getComputedStyle(holder).color,
                ground ? getComputedStyle(ground).backgroundColor : 'rgb(255, 255, 255)']);
  }
  return found;
}"""


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await context_of(browser, NARROW)
    yield await context.new_page()
    await context.close()


async def opened(page: Page, template: Template, **given: Any) -> None:
    await page.set_content(words_of(a_mail(template, **given), "html"))


@pytest.mark.parametrize("language", CATALOGUES.languages)
@pytest.mark.parametrize("template", Template)
async def test_a_mail_is_well_read(page: Page, template: Template, language: str) -> None:
    await opened(page, template, language=language, tenant=a_demo_tenant(language))
    faults = []
    for width, scheme in product((NARROW, DESK), SCHEMES):
        name = f"mail-{template}-{language}-{scheme}-{width}"
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme)
        content = await page.evaluate("document.documentElement.scrollWidth")
        if content > width:
            faults.append(f"{name} scrolls sideways: {content} wide")
        if folder := os.environ.get(SCREENSHOTS):
            await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        if width == DESK:
            continue  # but for margins it is the same page: axe looks at it once a scheme
        found = await Axe().run(page)
        assert found.response["passes"], "axe found nothing to check"
        for violation in found.response["violations"]:
            where = [node["target"] for node in violation["nodes"]]
            faults.append(f"{name}: {violation['id']} {where}")
    assert faults == []


def luminance(colour: str) -> float:
    """WCAG 2.2's, of `rgb(…)` as browsers write it."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


async def test_every_text_can_be_read_in_any_brand(page: Page) -> None:
    drawn = random.Random(9)
    brands = ["#ffffff", "#000000", "#ffff00", "#777777", "not a colour"]
    brands += [f"#{drawn.randrange(2**24):06x}" for _ in range(35)]
    pale = []
    for brand in brands:
        tenant = a_tenant(UUID(int=1), brand={"portal_name": "YService", "colour": brand})
        await opened(page, Template.ADDRESS_KNOWN, tenant=tenant)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            pairs = await page.evaluate(PAIRS)
            assert len(pairs) > 8
            pale += [
                (brand, scheme, *pair) for pair in pairs if contrast(pair[1], pair[2]) < READABLE
            ]
    assert pale == []
