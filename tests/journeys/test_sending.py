"""A server that is gone while the network is there: forms stay on their page, which says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect

from tests.journeys.conftest import Server
from tests.journeys.test_choosing import comes_to, form_at, somebodys_page, types_into
from tests.journeys.test_every_form import HOST, Way, found
from tests.support.installation import Running, free_port

__all__ = ["found"]  # a fixture

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(300)]


@contextlib.asynccontextmanager
async def listening(whole: Running, port: int) -> AsyncIterator[None]:
    """The portal at that port, where nothing listens before or after."""
    config = uvicorn.Config(
        whole.installation.gateway,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn sets a flag, no event
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def silence(port: int) -> AsyncIterator[None]:
    """Something at that port that takes what comes, and never answers."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    async with server:
        yield


async def presses(page: Page, action: str) -> None:
    await form_at(page, action).locator(".button--primary, button").last.click()


async def test_where_the_server_is_gone_the_form_stays_and_says_so(
    browser: Browser, portal_url: str, whole: Running, found: list[Way]
) -> None:
    port = free_port()
    url = f"http://{HOST}:{port}"
    tried = 0
    for way in found:
        if len(way.actions) > 2:
            continue
        async with somebodys_page(
            browser, url, whole, scripts=True, is_signed_in=way.signed_in
        ) as page:
            async with listening(whole, port):
                form = await comes_to(page, url, way)
                tried += await types_into(form)
                typed = await form.evaluate("form => [...new FormData(form)].map(String)")
                address = page.url
            await presses(page, way.actions[-1])
            await expect(page.locator("#page-alert")).to_contain_text("conservée ici")
            assert page.url == address
            assert typed == await form.evaluate("form => [...new FormData(form)].map(String)")
            async with listening(whole, port), page.expect_navigation():
                await presses(page, way.actions[-1])  # and now it goes
    assert tried >= 10


async def test_a_server_that_says_nothing_is_not_waited_for(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    port = free_port()
    url = f"http://{HOST}:{port}"
    async with somebodys_page(browser, url, whole, scripts=True, is_signed_in=False) as page:
        async with listening(whole, port):
            await page.goto(f"{url}/recovery/username")
        field = page.get_by_label("Votre courriel")
        await field.fill("personne@nulle-part.example")
        async with silence(port):
            await presses(page, "/recovery/username")
            await expect(page.locator("#page-alert")).to_contain_text(
                "conservée ici", timeout=12_000
            )
        await expect(field).to_have_value("personne@nulle-part.example")
        async with listening(whole, port):
            await presses(page, "/recovery/username")
            await expect(page).to_have_url(f"{url}/recovery/sent")


async def test_a_form_that_is_pressed_twice_is_sent_once(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    async with somebodys_page(browser, portal_url, whole, scripts=True, is_signed_in=False) as page:
        await page.goto(f"{portal_url}/recovery/username")
        await page.get_by_label("Votre courriel").fill("personne@nulle-part.example")
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
        button = form_at(page, "/recovery/username").locator("button").last
        await button.evaluate("button => { button.click(); button.click(); }")
        await expect(page).to_have_url(f"{portal_url}/recovery/sent")
        assert sent == [f"{portal_url}/recovery/username"]
