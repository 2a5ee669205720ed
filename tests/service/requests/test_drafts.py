"""What is typed is kept: a draft, saved as one types, resumed, sent, lapsed, erased."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from chassis import clock
from contracts.catalog import ProcedureRetired
from contracts.requests import DraftEnded, DraftKept
from services.requests.domain.drafts import KEPT_FOR, LARGEST
from services.requests.filing.lapse_draft import LapseDraft, lapse_draft
from services.requests.tables import Draft
from tests.builders.requests import a_form, a_portal, a_procedure, a_question, answers
from tests.service.requests.conftest import Counter
from tests.service.requests.reading import Page
from tests.service.requests.test_filing import NEXT, SAVE, START, Scene

RESUME = {"_then": "resume"}
AFRESH = {"_then": "afresh"}
BY_SCRIPT = {"Accept": "application/json"}


@pytest.fixture
async def scene(counter: Counter) -> AsyncIterator[Scene]:
    tenant = await counter.portal()
    town = await counter.town(tenant)
    procedure = a_procedure()
    await counter.hear(tenant, procedure)
    async with counter.visitor(tenant, town.principal()) as browser:
        yield Scene(counter, tenant, town, procedure, browser)


async def kept(scene: Scene) -> list[str]:
    """What the drafts hold as the answer to the first question."""
    rows = await scene.counter.of(
        scene.tenant, "SELECT values->>'what' FROM drafts ORDER BY saved_at"
    )
    return [row[0] for row in rows]


async def type_in(scene: Scene, form: Page, what: str) -> None:
    """As the script saves what is typed."""
    sent = {**form.fields, "what": what}
    answer = await scene.browser.post(form.action, data=sent, headers=BY_SCRIPT)
    assert answer.status_code == 200, answer.text
    assert answer.json()["said"].startswith("Brouillon enregistré à ")


async def test_opening_a_form_keeps_nothing(scene: Scene) -> None:
    await scene.form()
    assert await kept(scene) == []
    assert "Reprendre" not in (await scene.page("GET", START)).text


async def test_what_is_typed_is_kept_and_found_again(scene: Scene) -> None:
    form = await scene.form()
    await type_in(scene, form, "L'écran")
    await type_in(scene, form, "L'écran reste")
    assert await kept(scene) == ["L'écran reste"]
    introduction = await scene.page("GET", START)
    assert "Vous avez un brouillon de cette demande" in introduction.text
    assert "Recommencer" in introduction.text
    resumed = await scene.page("POST", START, {**introduction.fields, **RESUME})
    assert resumed.fields["what"] == "L'écran reste"
    assert "Brouillon enregistré à" in resumed.text


async def test_the_button_that_enter_presses_keeps_a_draft_and_sends_nothing(scene: Scene) -> None:
    form = await scene.form()
    page = await scene.page("POST", form.action, {**form.fields, "what": "Écran", "mail": "no"})
    assert "Brouillon enregistré à" in page.text
    assert not page.title.startswith("Erreur")  # half a form is no mistake
    assert (page.fields["what"], page.fields["mail"]) == ("Écran", "no")
    assert await kept(scene) == ["Écran"]


async def test_going_on_keeps_the_draft_too(scene: Scene) -> None:
    form = await scene.form()
    sent = {**form.fields, **answers(mail="nobody"), **NEXT}
    await scene.page("POST", form.action, sent, status=422)
    assert await kept(scene) == [answers()["what"].replace("\r\n", "\n")]


async def test_what_was_cleared_stays_so(scene: Scene) -> None:
    form = await scene.form()
    assert form.fields["phone"]
    await scene.page("POST", form.action, {**form.fields, "phone": ""})
    resumed = await scene.page("POST", START, RESUME)
    assert resumed.fields["phone"] == ""


async def test_my_requests_lists_it_with_a_way_on(scene: Scene) -> None:
    assert "Brouillons" not in (await scene.page("GET", "/requests")).text
    await type_in(scene, await scene.form(), "Écran")
    requests = await scene.page("GET", "/requests")
    assert "Brouillons" in requests.text
    assert requests.path("Anomalie - logiciel YPolice") == START


async def test_sent_means_that_the_draft_is_gone(scene: Scene) -> None:
    await scene.save(await scene.recap())
    assert await kept(scene) == []
    assert "Brouillons" not in (await scene.page("GET", "/requests")).text


async def test_what_was_sent_does_not_come_back_as_a_draft(scene: Scene) -> None:
    form = await scene.form()
    recap = await scene.page("POST", form.action, {**form.fields, **answers(), **NEXT})
    where = await scene.save(recap)
    late = await scene.browser.post(
        form.action, data={**form.fields, "what": "Écr"}, headers=BY_SCRIPT
    )
    assert (late.status_code, late.headers["location"]) == (303, where)
    assert await kept(scene) == []


async def test_saves_and_autosaves_at_once_leave_one_request_and_no_draft(scene: Scene) -> None:
    for _ in range(5):
        form = await scene.form()
        recap = await scene.page("POST", form.action, {**form.fields, **answers(), **NEXT})
        late = {**form.fields, **answers(what="L'écran reste blanc.")}
        await asyncio.gather(
            *(scene.browser.post(form.action, data=late, headers=BY_SCRIPT) for _ in range(3)),
            scene.browser.post(recap.action, data={**recap.fields, **SAVE}),
            *(scene.browser.post(form.action, data=late, headers=BY_SCRIPT) for _ in range(3)),
        )
        assert await kept(scene) == []
    assert len(await scene.numbers()) == 5


async def test_starting_over_replaces_the_draft_only_once_something_is_typed(
    scene: Scene,
) -> None:
    await type_in(scene, await scene.form(), "Avant")
    fresh = await scene.page("POST", START, AFRESH)
    assert fresh.fields["what"] == ""
    assert await kept(scene) == ["Avant"]
    await type_in(scene, fresh, "Après")
    assert await kept(scene) == ["Après"]


async def test_a_page_that_was_opened_before_the_draft_asks_too(scene: Scene) -> None:
    introduction = await scene.page("GET", START)
    await type_in(scene, await scene.form(), "Écran")
    asked = await scene.page("POST", introduction.action, introduction.fields)
    assert "Reprendre" in asked.text


async def test_a_draft_keeps_its_form(scene: Scene) -> None:
    since = a_question("since", label={"fr": "Depuis quand ?"})
    await type_in(scene, await scene.form(), "Écran")
    await scene.publishes(2, form=a_form(since))
    resumed = await scene.page("POST", START, RESUME)
    assert "Depuis quand ?" not in resumed.text
    assert "Depuis quand ?" in (await scene.page("POST", START, AFRESH)).text
    sent = {**resumed.fields, **answers(), **NEXT}
    await scene.save(await scene.page("POST", resumed.action, sent))
    [(version,)] = await scene.counter.of(
        scene.tenant, "SELECT form_version FROM requests WHERE procedure_id IS NOT NULL"
    )
    assert version == 1


async def test_new_terms_are_asked_for_before_a_draft_goes_on(scene: Scene) -> None:
    await type_in(scene, await scene.form(), "Écran")
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    introduction = await scene.page("GET", START)
    refused = await scene.page("POST", START, {**introduction.fields, **RESUME}, status=422)
    assert "Reprendre" in refused.text
    ticked = {**refused.fields, "terms": "yes", **RESUME}
    assert (await scene.page("POST", START, ticked)).fields["what"] == "Écran"


async def test_a_draft_of_what_is_no_longer_offered_is_shown(scene: Scene) -> None:
    await type_in(scene, await scene.form(), "L'écran reste blanc.")
    retired = ProcedureRetired(procedure_id=scene.procedure.procedure_id)
    await scene.counter.hear(scene.tenant, retired, version=2)
    gone = await scene.page("GET", START, status=410)
    assert "Que se passe-t-il ? L'écran reste blanc." in gone.text


async def test_more_than_a_draft_holds_is_refused_and_kept_on_the_page(scene: Scene) -> None:
    form = await scene.form()
    long = "x" * LARGEST
    page = await scene.page("POST", form.action, {**form.fields, "what": long}, status=422)
    assert page.fields["what"] == long
    assert await kept(scene) == []


async def test_somebody_elses_draft_is_not_there(scene: Scene) -> None:
    await type_in(scene, await scene.form(), "À moi")
    other = await scene.counter.town(scene.tenant)
    async with scene.counter.visitor(scene.tenant, other.principal()) as browser:
        answer = await browser.get(START)
        assert "Reprendre" not in answer.text
        answer = await browser.post(START, data=RESUME)
        assert "À moi" not in answer.text
        assert "Brouillons" not in (await browser.get("/requests")).text


async def test_a_draft_that_nobody_comes_back_to_lapses(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await type_in(scene, await scene.form(), "Écran")
    [(draft_id,)] = await scene.counter.of(scene.tenant, "SELECT id FROM drafts")
    database, timer = scene.counter.runtime.database, LapseDraft(draft_id=draft_id)
    begun = clock.now()

    async def passes(days: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: begun + timedelta(days=days))
        async with database.begin(scene.tenant) as work:
            await lapse_draft(work, timer)

    [(due_at,)] = await scene.counter.of(scene.tenant, "SELECT due_at FROM inbox")
    assert timedelta(0) <= due_at - begun - KEPT_FOR + timedelta(minutes=1) < timedelta(minutes=2)
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(days=60))
    async with database.begin(scene.tenant) as work:
        await work.db.execute(update(Draft).values(saved_at=work.now))
    await passes(90)
    assert await kept(scene) == ["Écran"]
    assert len(await scene.counter.of(scene.tenant, "SELECT id FROM inbox")) == 2
    assert await scene.counter.events(scene.tenant, DraftEnded) == []
    await passes(151)
    assert await kept(scene) == []
    assert await scene.counter.events(scene.tenant, DraftEnded) == [DraftEnded(draft_id=draft_id)]
    await passes(152)


async def test_an_erasure_takes_the_draft_and_its_timer(scene: Scene) -> None:
    await type_in(scene, await scene.form(), "Écran")
    await scene.counter.hear(scene.tenant, scene.town.is_erased(), version=3)
    assert await kept(scene) == []
    assert await scene.counter.of(scene.tenant, "SELECT id FROM inbox") == []


async def test_the_others_are_told_once_however_often_it_is_saved(scene: Scene) -> None:
    form = await scene.form()
    for what in ("É", "Éc", "Écr"):
        await type_in(scene, form, what)
    [told] = await scene.counter.events(scene.tenant, DraftKept)
    [(draft_id,)] = await scene.counter.of(scene.tenant, "SELECT id FROM drafts")
    assert (told.draft_id, told.person_id) == (draft_id, scene.town.person_id)
    assert (told.procedure_id, told.form_version) == (scene.procedure.procedure_id, 1)


async def test_they_are_told_again_on_another_day(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearly_midnight = datetime(2026, 4, 5, 21, 59, tzinfo=UTC)  # in Paris
    after = {0.0: "É", 0.5: "Éc", 1.0: "Écr", 2.0: "Écra", 1441.0: "Écran"}
    minutes = 0.0
    monkeypatch.setattr(clock, "now", lambda: nearly_midnight + timedelta(minutes=minutes))
    form = await scene.form()
    for minutes, what in after.items():  # noqa: B007  the clock reads it
        await type_in(scene, form, what)
    told = await scene.counter.events(scene.tenant, DraftKept)
    since = [one.saved_at - nearly_midnight for one in told]
    assert since == [timedelta(0), timedelta(minutes=1), timedelta(minutes=1441)]


async def test_they_are_told_who_asks_now(scene: Scene) -> None:
    await type_in(scene, await scene.form(), "Écran")
    later = scene.procedure.model_copy(update={"form_version": 2})
    await scene.counter.hear(scene.tenant, later, version=2)
    afresh = await scene.page("POST", START, AFRESH)
    for what in ("I", "Im"):
        await type_in(scene, afresh, what)
    told = await scene.counter.events(scene.tenant, DraftKept)
    assert [one.form_version for one in told] == [1, 2]
    assert len({one.draft_id for one in told}) == 1


async def test_they_are_told_that_it_was_sent(scene: Scene) -> None:
    await scene.save(await scene.recap())
    [kept] = await scene.counter.events(scene.tenant, DraftKept)
    [ended] = await scene.counter.events(scene.tenant, DraftEnded)
    assert ended.draft_id == kept.draft_id


async def test_an_address_resumes_it(scene: Scene) -> None:
    nothing_yet = await scene.page("GET", f"{START}?resume=1")
    assert "what" not in nothing_yet.fields
    await type_in(scene, await scene.form(), "Écran")
    resumed = await scene.page("GET", f"{START}?resume=1")
    assert resumed.fields["what"] == "Écran"
    await type_in(scene, resumed, "Écran blanc")
    assert await kept(scene) == ["Écran blanc"]


async def test_who_has_not_accepted_the_terms_does_so_before_resuming(scene: Scene) -> None:
    await type_in(scene, await scene.form(), "Écran")
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    introduction = await scene.page("GET", f"{START}?resume=1")
    assert "Reprendre" in introduction.text
    assert not introduction.title.startswith("Erreur")
    assert "what" not in introduction.fields
