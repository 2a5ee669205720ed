"""The tenant's texts, and what stands where it gave none."""

import pytest

from chassis import clock
from chassis.ids import new_id
from contracts.identity import TenantChanged
from contracts.requests import TermsAccepted
from services.identity.accounts.create_account import create_account
from services.identity.accounts.erase_account import erase_account
from services.identity.handlers.requests import keep_acceptance
from services.identity.tables import Acceptance
from services.identity.tenants.change_tenant import change_tenant
from tests.builders.identity import new_account
from tests.service.identity.browser import GATEWAY, Browser, words_of
from tests.service.identity.conftest import Portal


async def test_the_terms_are_shown_with_their_version(browser: Browser) -> None:
    words = words_of(await browser.get("/texts/terms"))
    assert "Version 1, en vigueur depuis le" in words
    assert "Soyez aimables." in words


async def test_a_text_is_never_read_as_html(browser: Browser, portal: Portal) -> None:
    texts = {"legal": {"fr": "## Éditeur\n\nYPOK <b>SAS</b>\nLyon\n\n- un\n- deux"}}
    async with portal.begin() as work:
        await change_tenant(work, portal.facts.model_copy(update={"texts": texts}))
    await portal.settle()
    page = await browser.get("/texts/legal")
    assert "<h2>Éditeur</h2>" in page.text
    assert "YPOK &lt;b&gt;SAS&lt;/b&gt;<br>Lyon" in page.text
    assert "<li>deux</li>" in page.text


@pytest.mark.parametrize("name", ["help", "legal", "privacy", "accessibility"])
async def test_a_text_that_is_not_given_says_so_and_leads_on(browser: Browser, name: str) -> None:
    page = await browser.get(f"/texts/{name}")
    assert page.status_code == 200
    assert "04.72.26.06.86" in words_of(page)


async def test_unknown_texts_do_not_exist(browser: Browser) -> None:
    assert (await browser.get("/texts/other")).status_code == 404


async def test_whoever_is_stuck_is_told_whom_to_call(browser: Browser) -> None:
    words = words_of(await browser.get("/recovery"))
    assert "Mot de passe ou identifiant oublié ?" in words
    assert "04.72.26.06.86" in words
    assert "sav@example.org" in words


async def test_the_gateway_asks_for_tenants(browser: Browser, portal: Portal) -> None:
    gateway = Browser.at(portal.runtime, new_id(), GATEWAY)
    answer = await gateway.send("GET", "/internal/tenants")
    (own,) = [one for one in answer.json()["tenants"] if one["host"] == portal.facts.host]
    assert TenantChanged.model_validate(own) == await portal.only(TenantChanged)
    assert (own["version"], own["epoch"]) == (1, 1)
    host = {"host": f"{portal.facts.host.upper()}:8080"}
    found = await gateway.send("POST", "/internal/tenants/by-host", json=host)
    assert found.json() == own
    for host in ({"host": "nobody.localhost"}, {"host": "no host"}):
        nobody = await gateway.send("POST", "/internal/tenants/by-host", json=host)
        assert nobody.status_code == 404


async def test_an_acceptance_is_kept_once_and_not_of_the_erased(portal: Portal) -> None:
    account = new_account()
    async with portal.begin() as work:
        await create_account(work, account)
    told = TermsAccepted(
        acceptance_id=new_id(),
        person_id=account.person_id,
        account_id=account.account_id,
        terms_version=2,
        accepted_at=clock.now(),
    )
    for event in (told, told, told.model_copy(update={"acceptance_id": new_id()})):
        async with portal.begin() as work:
            await keep_acceptance(work, event)
    async with portal.begin() as work:
        kept = await work.find(Acceptance, Acceptance.terms_number == 2)
        assert kept is not None
    async with portal.begin() as work:
        await erase_account(work, account.account_id)
        await keep_acceptance(work, told)
    async with portal.begin() as work:
        assert await work.find(Acceptance) is None
