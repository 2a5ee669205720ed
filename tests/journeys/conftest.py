"""The portal on a port of its own, and a browser before it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn
from playwright.async_api import Browser, Page

from guichet.demo_data import DEMO
from tests.support.browser import browsing, context_of
from tests.support.installation import Running
from tests.support.parts import RunningApart


class Server(uvicorn.Server):
    """Without uvicorn's signal handling: pytest has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them as they are."""
        yield


@pytest.fixture(scope="session")
async def portal_url(whole: Running) -> AsyncIterator[str]:
    """The demo's portal, served to browsers."""
    url = f"http://{DEMO}.localhost:{whole.port}"
    if isinstance(whole, RunningApart):
        yield url  # which its gateway serves
        return
    server = Server(
        uvicorn.Config(
            whole.installation.gateway,
            host="127.0.0.1",
            port=whole.port,
            lifespan="off",
            log_config=None,
            access_log=False,
        )
    )
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn sets a flag, no event
            await asyncio.sleep(0.01)
    yield url
    server.should_exit = True
    await serving


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as one:
        yield one


@pytest.fixture
async def portal(browser: Browser, portal_url: str) -> AsyncIterator[Page]:
    """The portal's home page, in a fresh profile, scripts off: pages need none."""
    context = await context_of(browser, scripts=False)
    page = await context.new_page()
    await page.goto(portal_url)
    yield page
    await context.close()
