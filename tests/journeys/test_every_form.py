"""Every form of the running pages keeps what was typed, whatever comes between.

The forms are found: from the pages that links lead to, and by pressing what is found there, until
no new form appears. Each is then tried by somebody who came to it anew.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, expect

from guichet.demo_data import DEMO
from services.identity.sessions import end_sessions_of
from services.identity.tables import Account
from tests.builders.identity import PASSWORD
from tests.support.browser import context_of
from tests.support.forms import PageForm, _Reader
from tests.support.installation import Running
from tests.support.people import Somebody, signed_in, somebody

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

HOST = f"{DEMO}.localhost"
CHOICES_OF_THE_READER = {"/language", "/theme-choice", "/sign-out"}
"""Forms on every page, which take one press and hold nothing typed."""

MOST_PAGES = 80
MOST_PRESSES = 9
TYPED = {"text", "email", "tel", "textarea", "number"}


@dataclass(frozen=True)
class Way:
    """How one comes to a form: a page, then these forms pressed one after the other."""

    path: str
    actions: tuple[str, ...]
    signed_in: bool = True

    def __str__(self) -> str:
        return " → ".join((self.path, *self.actions))


@dataclass
class Found:
    """The forms of the portal, each by the shortest way."""

    ways: dict[tuple[str, ...], Way] = field(default_factory=dict)

    def add(self, way: Way, form: PageForm) -> bool:
        """Was it not known?"""
        kinds = sorted({one.kind for one in form.inputs.values()})
        steps = tuple(_kind(action) for action in way.actions)
        signature = (*steps, *kinds)
        if signature in self.ways:
            return False
        self.ways[signature] = way
        return True


def _kind(action: str) -> str:
    """An address without what differs between two things of a kind."""
    parts = action.split("/")
    of_one = {"procedures", "requests", "categories"}
    return "/".join(
        "…" if before in of_one or any(char.isdigit() for char in part) else part
        for before, part in zip(["", *parts], parts, strict=False)
    )


def forms_of(page: httpx.Response) -> list[PageForm]:
    found = _Reader(page.text).forms
    return [one for one in found if one.action and one.action not in CHOICES_OF_THE_READER]


def form_at(page: httpx.Response, action: str) -> PageForm:
    return next(one for one in forms_of(page) if one.action == action)


async def press(client: httpx.AsyncClient, form: PageForm, **typed: str) -> httpx.Response:
    """What the form's main button leads to."""
    return await follow(client, await client.post(form.action, data=form.filled(**typed)))


async def follow(client: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    while answer.status_code == 303:
        answer = await client.get(urljoin(str(answer.url), answer.headers["location"]))
    return answer


@contextlib.asynccontextmanager
async def somebody_new(
    whole: Running, *, is_signed_in: bool = True
) -> AsyncIterator[tuple[httpx.AsyncClient, Somebody]]:
    """A person of the demo's portal, whom nobody knew before, signed in or about to."""
    tenant = whole.installation.gateway.tenants.at(HOST)
    assert tenant is not None
    who = await somebody(whole, tenant.tenant_id, HOST)
    async with whole.visitor(HOST) as client:
        if is_signed_in:
            signed_in(client, whole, who)
        yield client, who


async def comes_to(client: httpx.AsyncClient, way: Way) -> PageForm:
    """The last form of the way, reached by it."""
    page = await client.get(way.path)
    for action in way.actions[:-1]:
        page = await press(client, form_at(page, action))
    return form_at(page, way.actions[-1])


async def links_from(client: httpx.AsyncClient, *starts: str) -> list[str]:
    """The pages that links lead to, from these on."""
    seen, waiting = dict.fromkeys(starts), list(starts)
    while waiting and len(seen) < MOST_PAGES:
        page = await client.get(waiting.pop(0))
        if "text/html" not in page.headers.get("content-type", ""):
            continue
        for href in _Links(page.text).hrefs:
            path = urlsplit(urljoin(str(page.url), href))
            if path.hostname == HOST and path.path not in seen and path.path.startswith("/"):
                if not path.path.startswith(("/static/", "/theme/", "/texts/")):
                    seen[path.path] = None
                    waiting.append(path.path)
    return list(seen)


class _Links(_Reader):
    def __init__(self, html: str) -> None:
        self.hrefs: list[str] = []
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.hrefs += [value for name, value in attrs if name == "href" and value]
        super().handle_starttag(tag, attrs)


@pytest.fixture(scope="session")
async def found(whole: Running) -> list[Way]:
    """Every kind of form that somebody comes to, signed in or not, by a way that leads there."""
    known = Found()
    for is_signed_in, starts in (
        (True, ("/", "/requests", "/profile")),
        (False, ("/register", "/sign-in", "/recovery")),
    ):
        async with somebody_new(whole, is_signed_in=is_signed_in) as (client, _who):
            for path in await links_from(client, *starts):
                await walk(client, Way(path, (), is_signed_in), known)
    return list(known.ways.values())


async def walk(client: httpx.AsyncClient, way: Way, known: Found) -> None:
    """Note the forms of a page, press the last of them, and so on."""
    page = await client.get(way.path)
    while page.status_code == 200 and len(way.actions) < MOST_PRESSES:
        forms = forms_of(page)
        for form in forms:
            known.add(replace(way, actions=(*way.actions, form.action)), form)
        if not forms or not forms[-1].action.startswith(("/procedures", "/register")):
            return
        way = replace(way, actions=(*way.actions, forms[-1].action))
        page = await press(client, forms[-1])


def typed_into(form: PageForm) -> dict[str, str]:
    """What a person types into the form; each answer is known again."""
    return {
        name: f"{one.value}{one.value and ' '}Réponse {number}"
        for number, (name, one) in enumerate(form.inputs.items())
        if one.kind in {"text", "textarea"} and not name.startswith("_")
    }


def values_in(page: httpx.Response) -> set[str]:
    """What the forms of a page hold."""
    return {one.value.strip() for form in forms_of(page) for one in form.inputs.values()}


async def ends(whole: Running, who: Somebody) -> None:
    """Every session of theirs ends, elsewhere."""
    database = whole.installation.runtimes["identity"].database
    async with database.begin(who.tenant) as work:
        await end_sessions_of(work, await work.fetch(Account, who.account_id))
    await whole.settled()


async def signs_in_again(client: httpx.AsyncClient, who: Somebody, page: httpx.Response) -> str:
    """The page that has what was typed, after the sign-in."""
    assert "Votre session a pris fin" in page.text
    form = form_at(page, "/sign-in")
    answer = await client.post(
        form.action, data=form.filled(username=who.username, password=PASSWORD)
    )
    assert answer.status_code == 200, answer.headers.get("location")
    return answer.text


def needs_a_session(answer: httpx.Response) -> bool:
    return answer.status_code == 307 and "/sign-in/again" in answer.headers["location"]


async def test_forms_are_found(found: list[Way]) -> None:
    ends_at = {_kind(way.actions[-1]) for way in found}
    assert ends_at >= {"/procedures/…", "/procedures/…/form", "/procedures/…/recap"}
    assert {way.actions[-1] for way in found} >= {"/sign-in", "/register", "/recovery"}
    assert len(found) >= 10


async def test_a_session_that_ended_in_between_loses_nothing(
    whole: Running, found: list[Way]
) -> None:
    lost: dict[str, object] = {}
    tried = 0
    for way in found:
        async with somebody_new(whole, is_signed_in=way.signed_in) as (client, who):
            form = await comes_to(client, way)
            typed = typed_into(form)
            await ends(whole, who)
            sent = form.filled(**typed)
            answer = await client.post(form.action, data=sent)
            if not needs_a_session(answer):
                continue  # anyone may send it
            tried += 1
            page = await client.post(answer.headers["location"], data=sent)
            refused = form_at(page, "/sign-in")
            page = await client.post(
                refused.action, data=refused.filled(username=who.username, password="faux")
            )
            given = await signs_in_again(client, who, page)
            [back] = [one for one in _Reader(given).forms if one.action == form.action]
            carried = {name: one.value for name, one in back.inputs.items()}
            missing = {
                name: value
                for name, value in sent.items()
                if value
                and "password" not in name
                and name not in ("_then", "_whose")
                and carried.get(name) != value
            }
            after = await press(client, back)
            if missing or after.status_code not in {200, 422}:
                lost[str(way)] = (missing, after.status_code)
            elif "/form" in form.action and not set(typed.values()) <= values_in(after):
                lost[str(way)] = set(typed.values()) - values_in(after)
    assert lost == {}
    assert tried >= 4


async def test_what_waits_is_for_nobody_else(whole: Running, found: list[Way]) -> None:
    way = next(way for way in found if way.actions[-1].endswith("/form"))
    async with somebody_new(whole) as (client, who), somebody_new(whole) as (_, other):
        form = await comes_to(client, way)
        await ends(whole, who)
        sent = form.filled(**typed_into(form))
        answer = await client.post(form.action, data=sent)
        page = await client.post(answer.headers["location"], data=sent)
        waiting = form_at(page, "/sign-in")
        answer = await client.post(
            waiting.action, data=waiting.filled(username=other.username, password=PASSWORD)
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


EFFECTS = {
    "requests": ("requests", "drafts", "attachments", "acceptances"),
    "identity": ("registrations", "accounts", "people", "activations"),
    "notifier": ("mails",),
}


async def effects(whole: Running, tenant: UUID) -> dict[str, int]:
    """How much there is of what forms make."""
    await whole.settled()
    found = {}
    for service, tables in EFFECTS.items():
        admin = await whole.admin(service)
        try:
            for table in tables:
                count = f"SELECT count(*) FROM {table} WHERE tenant_id = $1"
                found[table] = await admin.fetchval(count, tenant)
        finally:
            await admin.close()
    return found


async def test_what_is_sent_twice_has_one_effect(whole: Running, found: list[Way]) -> None:
    doubled: dict[str, object] = {}
    for way in found:
        async with somebody_new(whole, is_signed_in=way.signed_in) as (client, who):
            form = await comes_to(client, way)
            sent = form.filled()
            await client.post(form.action, data=sent)
            once = await effects(whole, who.tenant)
            again = await client.post(form.action, data=sent)
            twice = await effects(whole, who.tenant)
            if once != twice or again.status_code >= 500:
                doubled[str(way)] = (once, twice, again.status_code)
    assert doubled == {}


async def test_each_wrong_field_is_said_and_all_else_kept(whole: Running, found: list[Way]) -> None:
    faults: dict[str, object] = {}
    tried = 0
    for way in found:
        async with somebody_new(whole, is_signed_in=way.signed_in) as (client, _who):
            form = await comes_to(client, way)
            unseen = form.inputs["_unseen"].value.split() if "_unseen" in form.inputs else []
            asked = {
                name: one
                for name, one in form.inputs.items()
                if one.kind in TYPED | {"date", "radio", "select"}
                and not name.startswith("_")
                and name not in unseen
            }
            typed = typed_into(form)
            for name in asked:
                sent = form.filled(**{**typed, name: "x" * 12_001})
                page = await client.post(form.action, data=sent)
                tried += 1
                if page.status_code != 422:
                    faults[f"{way}: {name}"] = page.status_code
                    continue
                if f'href="#f-{name}"' not in page.text or f'id="f-{name}-error"' not in page.text:
                    faults[f"{way}: {name}"] = "is not said"
                kept = {value for one, value in typed.items() if one != name}
                if not kept <= values_in(page):
                    faults[f"{way}: {name}"] = kept - values_in(page)
    assert faults == {}
    assert tried >= 10


async def test_where_there_is_no_network_the_form_stays_and_says_so(
    browser: Browser, portal_url: str, whole: Running, found: list[Way]
) -> None:
    context = await context_of(browser)
    page = await context.new_page()
    async with somebody_new(whole) as (client, _who):
        for cookie in client.cookies.jar:
            assert cookie.value
            await context.add_cookies(
                [{"name": cookie.name, "value": cookie.value, "url": portal_url}]
            )
    for way in found:
        if not way.signed_in or len(way.actions) > 2:
            continue
        await page.goto(portal_url + way.path)
        for action in way.actions[:-1]:
            main = page.locator(f'form[action="{action}"] .button--primary')
            async with page.expect_navigation():
                await main.click()
        form = page.locator(f'form[action="{way.actions[-1]}"]').first
        fields = form.locator("input[type=text]:visible, textarea:visible")
        texts = await fields.count()
        for number in range(texts):
            await fields.nth(number).fill(f"Réponse {number}")
        await context.set_offline(True)
        await form.locator(".button--primary, button").last.click()
        await expect(page.locator("#page-alert")).to_contain_text("conservée ici")
        for number in range(texts):
            await expect(fields.nth(number)).to_have_value(f"Réponse {number}")
        await context.set_offline(False)
    await context.close()
