"""Chromium at an app in this very process: no port, no server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Playwright, Request, Route
from starlette.types import ASGIApp

from tests.support.browser import ARGUMENTS, chromium


def launched(playwright: Playwright) -> Browser:
    """The tests' Chromium, driven step by step."""
    return playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS, timeout=60_000)


def serving(page: Page, app: ASGIApp) -> None:
    """Have the app answer whatever the page asks for."""
    threads = ThreadPoolExecutor(1)  # Playwright's own loop runs in this thread

    async def ask(asked: Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.request(
                asked.method, asked.url, headers=asked.headers, content=asked.post_data_buffer
            )

    def answer(route: Route) -> None:
        response = threads.submit(asyncio.run, ask(route.request)).result()
        headers = dict(response.headers)
        headers.pop("content-encoding", None)  # httpx has unpacked it
        headers.pop("content-length", None)
        headers.pop("refresh", None)  # a page that looks again would go away while it is looked at
        route.fulfill(status=response.status_code, headers=headers, body=response.content)

    page.route("**/*", answer)


def axe_violations(page: Page) -> list[str]:
    """What axe finds on the page as it is now, best practices included: a line each."""
    found = Axe().run(page)
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Is anything wider than the window?"""
    wider: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wider
