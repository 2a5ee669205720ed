"""The README's pictures, taken of a whole installation: `python -m tests.support.readme_pictures`.

Small enough to be kept with the sources; what each shows is told in the README.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.async_api import Browser, Page

from guichet.demo_data import DEMOS
from tests.support.browser import browsing
from tests.support.installation import Running, running
from tests.support.people import files
from tests.support.postgres import provide

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
LARGEST_BYTES = 150_000
WIDE = {"width": 1100, "height": 760}
NARROW = {"width": 390, "height": 760}
FRENCH, ENGLISH = "fr-FR", "en-GB"


async def take_all() -> None:
    """Start everything, walk through it, keep the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = provide()
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with (
                running(server.url, Path(folder)) as whole,
                serving(whole),
                browsing() as browser,
            ):
                await take(whole, browser)
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def serving(whole: Running) -> AsyncIterator[None]:
    """The portals, on the installation's port."""
    server = uvicorn.Server(
        uvicorn.Config(
            whole.installation.gateway,
            host="127.0.0.1",
            port=whole.port,
            lifespan="off",
            log_config=None,
            access_log=False,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn sets a flag, no event
        await asyncio.sleep(0.02)
    yield
    server.should_exit = True
    await task


async def take(whole: Running, browser: Browser) -> None:
    """Six pictures: two tenants, two languages, light and dark, wide and narrow."""
    first, second = DEMOS
    async with visiting(whole, browser, first, FRENCH) as page:
        await keep(page, "home-fr")
        await sign_in(whole, page, first)
        await open_form(page, "Anomalie - logiciel YPolice")
        await keep(page, "form-fr")
    async with visiting(whole, browser, second, ENGLISH) as page:
        await keep(page, "home-en")
        await sign_in(whole, page, second)
        await open_form(page, "Report a leak")
        await keep(page, "form-en")
    async with visiting(whole, browser, second, ENGLISH, dark=True, size=NARROW) as page:
        await keep(page, "home-en-dark")
    request = await a_request(whole, first)
    async with visiting(whole, browser, first, FRENCH, dark=True, size=NARROW) as page:
        await sign_in(whole, page, first)
        await page.goto(f"{origin(whole, first)}{request}")
        await keep(page, "request-fr-dark")


async def a_request(whole: Running, tenant: str) -> str:
    """The path of a request that the demo's customer has filed."""
    account = next(one for one in whole.accounts if one.tenant == tenant)
    async with whole.visitor(f"{tenant}.localhost") as customer:
        answer = await customer.post(
            "/sign-in", data={"username": account.username, "password": account.password}
        )
        assert answer.status_code == 303
        return f"/requests/{await files(customer, 'anomalie-logiciel-ypolice')}"


@contextlib.asynccontextmanager
async def visiting(
    whole: Running,
    browser: Browser,
    tenant: str,
    locale: str,
    *,
    dark: bool = False,
    size: dict[str, int] = WIDE,
) -> AsyncIterator[Page]:
    """A tenant's home page before somebody who reads that language."""
    context = await browser.new_context(
        locale=locale,
        color_scheme="dark" if dark else "light",
        viewport={"width": size["width"], "height": size["height"]},
    )
    page = await context.new_page()
    await page.goto(origin(whole, tenant))
    yield page
    await context.close()


def origin(whole: Running, tenant: str) -> str:
    """Where that portal answers."""
    return f"http://{tenant}.localhost:{whole.port}"


async def sign_in(whole: Running, page: Page, tenant: str) -> None:
    """As the demo's customer."""
    account = next(one for one in whole.accounts if one.tenant == tenant)
    await page.goto(f"{origin(whole, tenant)}/sign-in")
    await page.locator("input[name=username]").fill(account.username)
    await page.locator("input[name=password]").fill(account.password)
    async with page.expect_navigation():
        await page.locator("main form button").first.click()


async def open_form(page: Page, procedure: str) -> None:
    """From the home page to the procedure's form, the terms accepted."""
    await page.get_by_role("link", name=procedure).first.click()
    box = page.locator("main input[type=checkbox]")
    if await box.count():
        await box.check()
    async with page.expect_navigation():
        await page.locator("main form button").last.click()


async def keep(page: Page, name: str) -> None:
    """The picture, in so few colours that it is small."""
    path = FOLDER / f"{name}.png"
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(96).save(path, optimize=True)
    size = path.stat().st_size
    sys.stdout.write(f"{path.name}: {size // 1000} kB\n")
    if size > LARGEST_BYTES:
        raise SystemExit(f"{path.name} is larger than {LARGEST_BYTES} bytes")


if __name__ == "__main__":
    asyncio.run(take_all())
