"""A draft is thrown away by its author, taken back within the hour, and gone for good after."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from chassis import clock
from chassis.ids import new_id
from contracts.requests import DraftDiscarded, DraftEnded, DraftKept
from services.requests.domain.drafts import UNDO_FOR
from services.requests.filing.discard_draft import DropDraft, drop_draft
from tests.builders.requests import a_procedure
from tests.service.requests.conftest import Counter
from tests.service.requests.test_drafts import BY_SCRIPT, kept, type_in
from tests.service.requests.test_filing import START, Scene

ANOMALY = "Anomalie - logiciel YPolice"


@pytest.fixture
async def scene(counter: Counter) -> AsyncIterator[Scene]:
    tenant = await counter.portal()
    town = await counter.town(tenant)
    procedure = a_procedure()
    await counter.hear(tenant, procedure)
    async with counter.visitor(tenant, town.principal()) as browser:
        yield Scene(counter, tenant, town, procedure, browser)


async def a_draft(scene: Scene) -> UUID:
    """Something was typed. Answers the draft's id."""
    await type_in(scene, await scene.form(), "Écran")
    [(draft_id,)] = await scene.counter.of(scene.tenant, "SELECT id FROM drafts")
    assert isinstance(draft_id, UUID)
    return draft_id


async def press(scene: Scene, draft_id: UUID, button: str, *, status: int = 303) -> str:
    """Press the button. Answers where that leads."""
    answer = await scene.browser.post(f"/requests/drafts/{draft_id}/{button}")
    assert answer.status_code == status
    return str(answer.headers.get("location", ""))


async def test_it_is_gone_at_once_and_the_page_offers_to_undo(scene: Scene) -> None:
    draft_id = await a_draft(scene)
    listed = (await scene.browser.get("/requests")).text
    assert f'action="/requests/drafts/{draft_id}/discard"' in listed
    assert (
        f'formaction="/requests/drafts/{draft_id}/discard"' in (await scene.browser.get(START)).text
    )

    then = await scene.page("GET", await press(scene, draft_id, "discard"))
    assert f"Le brouillon de {ANOMALY} a été supprimé." in then.text
    assert "Annuler la suppression" in then.text
    assert ANOMALY not in then.links
    assert "Reprendre" not in (await scene.page("GET", START)).text
    resumed = await scene.page("GET", f"{START}?resume=1")
    assert "what" not in resumed.fields


async def test_undone_it_is_as_it_was(scene: Scene) -> None:
    draft_id = await a_draft(scene)
    await press(scene, draft_id, "discard")
    then = await scene.page("GET", await press(scene, draft_id, "restore"))
    assert ANOMALY in then.links
    assert (await scene.page("GET", f"{START}?resume=1")).fields["what"] == "Écran"
    kinds = (DraftKept, DraftDiscarded, DraftEnded)
    assert [len(await scene.counter.events(scene.tenant, kind)) for kind in kinds] == [2, 1, 0]


async def test_pressed_twice_it_is_thrown_away_once(scene: Scene) -> None:
    draft_id = await a_draft(scene)
    for _ in range(2):
        await press(scene, draft_id, "discard")
    assert len(await scene.counter.events(scene.tenant, DraftDiscarded)) == 1
    for _ in range(2):
        await press(scene, draft_id, "restore")
    assert len(await scene.counter.events(scene.tenant, DraftKept)) == 2


async def test_after_the_hour_it_is_gone_for_good(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = await a_draft(scene)
    await press(scene, draft_id, "discard")
    database, begun = scene.counter.runtime.database, clock.now()

    async def after(passed: timedelta) -> None:
        monkeypatch.setattr(clock, "now", lambda: begun + passed)
        async with database.begin(scene.tenant) as work:
            await drop_draft(work, DropDraft(draft_id=draft_id))

    await after(UNDO_FOR - timedelta(minutes=1))
    assert await kept(scene) == ["Écran"]
    await after(UNDO_FOR + timedelta(minutes=1))
    assert await kept(scene) == []
    [ended] = await scene.counter.events(scene.tenant, DraftEnded)
    assert ended.draft_id == draft_id
    await press(scene, draft_id, "restore", status=404)
    await press(scene, draft_id, "discard")  # nothing is left to do: no more than said


async def test_what_was_taken_back_stays(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    draft_id = await a_draft(scene)
    await press(scene, draft_id, "discard")
    await press(scene, draft_id, "restore")
    later = clock.now() + UNDO_FOR * 2
    monkeypatch.setattr(clock, "now", lambda: later)
    async with scene.counter.runtime.database.begin(scene.tenant) as work:
        await drop_draft(work, DropDraft(draft_id=draft_id))
    assert await kept(scene) == ["Écran"]


async def test_who_types_on_in_a_page_that_is_still_open_takes_it_back(scene: Scene) -> None:
    form = await scene.form()
    await type_in(scene, form, "Écran")
    [(draft_id,)] = await scene.counter.of(scene.tenant, "SELECT id FROM drafts")
    await press(scene, draft_id, "discard")
    await type_in(scene, form, "Écran noir")
    assert (await scene.page("GET", f"{START}?resume=1")).fields["what"] == "Écran noir"


async def test_one_that_is_begun_anew_takes_its_place(scene: Scene) -> None:
    draft_id = await a_draft(scene)
    await press(scene, draft_id, "discard")
    await type_in(scene, await scene.form(), "Autre chose")
    assert await kept(scene) == ["Autre chose"]
    await press(scene, draft_id, "restore")
    assert await kept(scene) == ["Autre chose"]


async def test_nobody_touches_anothers(scene: Scene) -> None:
    draft_id = await a_draft(scene)
    other = await scene.counter.town(scene.tenant)
    async with scene.counter.visitor(scene.tenant, other.principal()) as browser:
        answers = [
            await browser.post(f"/requests/drafts/{id}/discard", headers=BY_SCRIPT)
            for id in (draft_id, new_id())
        ]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert (await browser.post(f"/requests/drafts/{draft_id}/restore")).status_code == 404
        said = (await browser.get(f"/requests?discarded={draft_id}")).text
        assert "supprimé" not in said
    assert await scene.counter.events(scene.tenant, DraftDiscarded) == []
