"""A form with files whose session had ended: it comes back with them, to its own person only."""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, FilePayload, expect

from chassis import clock
from services.requests.filing.holding import Room
from tests.builders.files import PDF, a_picture
from tests.builders.identity import PASSWORD
from tests.journeys.test_customer import fill_all
from tests.journeys.test_every_form import HOST, ends, form_at, somebody_new
from tests.support.browser import context_of
from tests.support.forms import PageForm, form_in
from tests.support.installation import Running
from tests.support.people import Somebody

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(120)]

PROCEDURE = "/procedures/anomalie-logiciel-ypolice"


async def test_a_file_comes_back_without_scripts(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    context = await context_of(browser, scripts=False)
    async with somebody_new(whole) as (client, who):
        for cookie in client.cookies.jar:
            assert cookie.value
            await context.add_cookies(
                [{"name": cookie.name, "value": cookie.value, "url": portal_url}]
            )
        page = await context.new_page()
        await page.goto(portal_url + PROCEDURE)
        await page.get_by_role("button", name="Faire une demande en ligne").click()
        chooser = page.locator("input[type=file]")
        while not await chooser.count():
            await fill_all(page)
            await page.get_by_role("button", name="Suivant", exact=True).click()
        await page.locator("textarea:visible").first.fill("Ce qui est déjà écrit")
        picture = FilePayload(name="écran.png", mimeType="image/png", buffer=a_picture())
        notice = FilePayload(name="notice.pdf", mimeType="application/pdf", buffer=PDF)
        await chooser.set_input_files([picture, notice])
        await ends(whole, who)
        await page.get_by_role("button", name="Suivant", exact=True).click()
        main = page.get_by_role("main")
        await expect(main).to_contain_text("Votre session a pris fin")
        await expect(main).not_to_contain_text("écran.png")  # nothing is to be attached again
        await main.get_by_label("Identifiant :").fill(who.username)
        await main.get_by_label("Mot de passe :").fill(PASSWORD)
        await main.get_by_role("button", name="Me connecter").click()
        await page.get_by_role("button", name=re.compile("Continuer là où")).click()
        attached = page.get_by_role("list", name="Fichiers joints")
        await expect(attached).to_contain_text("écran.png")
        await expect(attached).to_contain_text("notice.pdf")
        await expect(page.locator("textarea:visible").first).to_have_value("Ce qui est déjà écrit")
    await context.close()


# ── To nobody else, and not for long ─────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Waiting:
    """A form that waits behind the sign-in, with its file."""

    action: str
    sign_in: PageForm
    files: str  # what names the file


async def to_the_files(client: httpx.AsyncClient) -> PageForm:
    """The page of the procedure's form that takes files."""
    page = await client.get(PROCEDURE)
    for _ in range(12):
        if 'type="file"' in page.text:
            return form_in(page.text)
        form = form_in(page.text)
        page = await client.post(form.action, data=form.filled())
    raise AssertionError("it takes no files")


async def waits(
    client: httpx.AsyncClient, whole: Running, who: Somebody, content: bytes = PDF
) -> Waiting:
    """Send a file after the session has ended."""
    form = await to_the_files(client)
    [name] = re.findall(r'type="file" id="f-[^"]+" name="([^"]+)"', (await _page(client, form)))
    await ends(whole, who)
    sent = form.filled(_then="next")
    files = {name: ("notice.pdf", content)}
    answer = await client.post(form.action, data=sent, files=files)
    assert answer.status_code == 307
    told = parse_qs(urlsplit(answer.headers["location"]).query)
    page = await client.post(answer.headers["location"], data=sent, files=files)
    return Waiting(form.action, form_at(page, "/sign-in"), told.get("files", [""])[0])


async def _page(client: httpx.AsyncClient, form: PageForm) -> str:
    """The form's page as it stands: its draft is kept."""
    return (await client.post(form.action, data=form.filled(_then=""))).text


async def given_back(client: httpx.AsyncClient, waiting: Waiting, who: Somebody) -> str:
    """Sign in as that person, and go on."""
    sent = waiting.sign_in.filled(username=who.username, password=PASSWORD)
    page = await client.post(waiting.sign_in.action, data=sent)
    assert page.status_code == 200
    back = form_in(page.text)
    assert back.inputs["_files"].value == waiting.files
    return (await client.post(back.action, data=back.filled())).text


async def test_pressed_twice_it_is_there_still(whole: Running) -> None:
    async with somebody_new(whole) as (client, who):
        waiting = await waits(client, whole, who)
        for _ in range(2):
            page = await given_back(client, waiting, who)
            assert page.count("<bdi>notice.pdf</bdi>") == 1


async def test_another_account_browser_or_seal_gets_nothing(whole: Running) -> None:
    async with somebody_new(whole) as (client, who), somebody_new(whole) as (others, other):
        waiting = await waits(client, whole, who)
        cases = [(others, other, waiting.files)]
        sent = waiting.sign_in.filled(username=who.username, password=PASSWORD)
        await client.post(waiting.sign_in.action, data=sent)
        cases.append((client, who, waiting.files[:-8] + "AAAAAAAA"))
        async with whole.visitor(HOST) as elsewhere:  # its person, in another browser
            await elsewhere.post("/sign-in", data={"username": who.username, "password": PASSWORD})
            cases.append((elsewhere, who, waiting.files))
            for somebodys, _, files in cases:
                form = await to_the_files(somebodys)
                answer = await somebodys.post(form.action, data=form.filled(_then="", _files=files))
                assert answer.status_code == 200
                assert "notice.pdf" not in answer.text
        form = await to_the_files(client)
        answer = await client.post(form.action, data=form.filled(_then="", _files=waiting.files))
        assert "<bdi>notice.pdf</bdi>" in answer.text


async def test_what_is_not_good_is_said_once_one_is_back(whole: Running) -> None:
    async with somebody_new(whole) as (client, who):
        page = await given_back(client, await waits(client, whole, who, b"no PDF"), who)
        assert "ne correspond pas" in page
        assert 'id="error-summary"' in page


async def test_what_came_too_late_is_said(whole: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async with somebody_new(whole) as (client, who):
        waiting = await waits(client, whole, who)
        now = clock.now
        monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=61))
        page = await given_back(client, waiting, who)
        assert "Joignez-le à nouveau" in page
        assert "<bdi>notice.pdf</bdi>" not in page


async def test_there_is_room_for_so_much(whole: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    app = whole.installation.apps["requests"]
    monkeypatch.setattr(app.state, "room", Room(2 * len(PDF)))
    for has_room in (True, True, False):
        async with somebody_new(whole) as (client, who):
            page = await given_back(client, await waits(client, whole, who), who)
            assert ("<bdi>notice.pdf</bdi>" in page) == has_room
    assert "Il n’y a pas de place" in page
    room, noon = Room(10), clock.now()
    assert room.takes(10, noon)
    assert not room.takes(1, noon + timedelta(minutes=74))
    assert room.takes(1, noon + timedelta(minutes=76))
