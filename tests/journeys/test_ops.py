"""Operators' pages, as an operator sees them: looked at whole, and a dead event discarded by hand.

Where `GUICHET_TEST_SCREENSHOTS` names a folder, pictures of them are kept there.
"""

import pytest
from playwright.async_api import Browser, expect

from chassis.sessions import session_cookie_name
from tests.support.album import Album
from tests.support.browser import context_of
from tests.support.installation import Running
from tests.support.operators import OPS, a_dead_event, an_operator
from tests.support.people import somebody

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(300)]


async def test_an_operator_finds_a_dead_event_and_discards_it(
    browser: Browser, portal_url: str, whole: Running
) -> None:
    operator = await an_operator(whole, "fr")
    town = await somebody(whole, await whole.tenant("exploitee"), "exploitee.localhost")
    dead = await a_dead_event(whole, town)
    album, url = Album("ops-"), f"http://{OPS}:{whole.port}"
    context = await context_of(browser)
    cookie = session_cookie_name(whole.installation.settings)
    await context.add_cookies([{"name": cookie, "value": operator.cookie, "url": url}])
    page = await album.opened(context)
    await page.goto(f"{url}/ops")
    await album.look(page, "overview")
    discard = page.locator(f'a[href$="/{dead.id}/{dead.handler}/discard"]')
    await expect(discard).to_have_accessible_name(f"Écarter… {dead.type}, {dead.handler}")
    await discard.click()
    await album.look(page, "discard")
    await page.get_by_role("button", name="Écarter l’événement").click()
    await expect(page.get_by_role("status").first).to_have_text("L’événement a été écarté.")
    await expect(discard).to_have_count(0)
    done = page.get_by_role("list", name="Du plus récent au plus ancien")
    await expect(done).to_contain_text(f"Écarté\u00a0: {dead.type}")
    await album.look(page, "discarded")
    await context.close()
    assert album.faults == []
