"""Every page in the pseudo-locale: nothing that came by no catalogue, nothing that breaks.

Pages are found in the services' routes, forms on the pages; each form is sent empty and filled in.
"""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import yaml
from playwright.async_api import Browser

from chassis.sessions import browser_cookie_name, language_cookie_name, session_cookie_name
from chassis.web.pseudo import LANGUAGE
from guichet.demo_data import DEMO, demo_file
from services.identity.domain.registrations import FORM, TITLE
from tests.service.conftest import Town
from tests.support.bare import bare, said_in
from tests.support.browser import NARROW, context_of
from tests.support.forms import forms_in
from tests.support.installation import Running
from tests.support.people import Belongings, belongings, same_browser, signed_in, somebody
from tests.support.routes import pages

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]

NARROWEST = 320
DEEPEST = 8  # introduction, the pages of a form, recap, saved
TYPED = {"Réponse", "Givors", "Durand", "Claire", "Mme", "Français", "English", "Pseudo", "Guichet"}


@pytest.fixture(scope="module")
async def resident(whole: Running) -> Town:
    """Somebody of the demo's tenant with all that an address may name."""
    tenant = UUID(yaml.safe_load(demo_file(DEMO, "tenant.yaml"))["tenant_id"])
    who = await somebody(whole, tenant, f"{DEMO}.localhost")
    held = await belongings(whole, who, category="ypolice", procedure="anomalie-logiciel-ypolice")
    return Town(who, held)


@pytest.fixture(scope="module")
def known(resident: Town) -> set[str]:
    """What the tenant and its people wrote."""
    files = [yaml.safe_load(demo_file(DEMO, f"{name}.yaml")) for name in ("tenant", "catalogue")]
    body = resident.held.body("/")
    written = {one for file in files for one in said_in(file)}
    return {
        *written,
        *(one[:2] for one in written),  # the letters by which a category without an icon is known
        *TYPED,
        *stored(),
        *(value for value in body.values() if len(value) < 60),
        resident.who.username,
        resident.who.address,
    }


def stored() -> Iterator[str]:
    """What a registration's request keeps: its words stand in the languages it was made in."""
    yield TITLE
    for section in FORM.sections:
        yield from (str(section.title), str(section.subtitle), str(section.recap_subtitle))
        for one in section.fields:
            yield str(one.label)
            yield from (str(choice.label) for choice in one.choices)


@pytest.fixture
async def readers(whole: Running, resident: Town) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A visitor and a customer who read the pseudo-locale."""
    settings = whole.installation.settings
    async with (
        whole.visitor(resident.who.host) as visitor,
        whole.visitor(resident.who.host) as customer,
    ):
        signed_in(customer, whole, resident.who)
        for client in (visitor, customer):
            same_browser(client, whole, resident.held)
            client.cookies.set(language_cookie_name(settings), LANGUAGE)
        yield {"a visitor": visitor, "a customer": customer}


def addresses(whole: Running, held: Belongings) -> Iterator[str]:
    """Every page that there is, and some that there are not."""
    for route in pages(whole.installation):
        if "GET" in route.methods:
            yield held.named(route.service, route.path)
    yield from ("/nowhere", "/texts/nothing", "/requests/handle/altered", "/activate?link=altered")


class Walk:
    """One reader's way through pages and the forms on them."""

    def __init__(self, client: httpx.AsyncClient, known: set[str]) -> None:
        self._client = client
        self._known = known
        self._sent: set[tuple[str, ...]] = set()
        self.seen = 0
        self.faults: list[str] = []

    async def at(self, path: str) -> None:
        """The page, then what its forms answer."""
        await self._look(await self._client.get(path), path, depth=0)

    async def _look(self, page: httpx.Response, name: str, *, depth: int) -> None:
        if page.is_redirect and depth <= DEEPEST:
            page = await self._client.get(page.headers["location"])
        if not page.headers.get("content-type", "").startswith("text/html"):
            return
        self.seen += 1
        if page.headers["content-language"] != "en-XA":
            self.faults.append(f"{name} speaks {page.headers['content-language']}")
        self.faults += [f"{name[:60]}: {one}" for one in bare(page.text, self._known)]
        for form in forms_in(page.text) if depth < DEEPEST else ():
            if "language" in form.inputs:  # it would have the reader read another one
                continue
            for filled in (False, True):
                codes = {name: "69700" for name in form.inputs if name.endswith("postcode")}
                empty = {name: one.value for name, one in form.inputs.items()}
                sent = form.filled(**codes) if filled else empty
                step = (form.action, str(filled), *sorted(sent))
                if step in self._sent:
                    continue
                self._sent.add(step)
                action = form.action or urlsplit(str(page.url)).path
                answer = await self._client.post(action, data=sent)
                how = "filled" if filled else "empty"
                await self._look(answer, f"{name} > {how} {action[:40]}", depth=depth + 1)


async def test_no_page_says_what_came_by_no_catalogue(
    readers: dict[str, httpx.AsyncClient], whole: Running, resident: Town, known: set[str]
) -> None:
    faults: list[str] = []
    for who, client in readers.items():
        walk = Walk(client, known)
        for path in addresses(whole, resident.held):
            await walk.at(path)
        assert walk.seen > 40
        faults += [f"{who}: {fault}" for fault in walk.faults]
    assert not faults, "\n".join(sorted(set(faults)))


async def test_longer_words_break_no_page(
    browser: Browser,
    portal_url: str,
    readers: dict[str, httpx.AsyncClient],
    whole: Running,
    resident: Town,
) -> None:
    settings = whole.installation.settings
    wide = []
    for who, cookie in (("a visitor", None), ("a customer", resident.who.cookie)):
        context = await context_of(browser, NARROW)
        given = {
            language_cookie_name(settings): LANGUAGE,
            browser_cookie_name(settings): resident.held.browser,
            **({session_cookie_name(settings): cookie} if cookie else {}),
        }
        await context.add_cookies(
            [{"name": name, "value": value, "url": portal_url} for name, value in given.items()]
        )
        page = await context.new_page()
        for path in addresses(whole, resident.held):
            found = await readers[who].get(path)
            if found.is_redirect or not found.headers["content-type"].startswith("text/html"):
                continue
            await page.goto(portal_url + path)
            for width in (NARROW, NARROWEST):
                await page.set_viewport_size({"width": width, "height": 900})
                content = await page.evaluate("document.documentElement.scrollWidth")
                if content > width:
                    wide.append(f"{path} at {width}: {content}")
        await context.close()
    assert not wide, "\n".join(wide)
