"""A customer files a request: introduction, form, recap, and one save."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest

from chassis import clock
from chassis.ids import new_id
from chassis.principals import AGENT, ANONYMOUS
from contracts.catalog import ProcedurePublished, ProcedureRetired
from contracts.requests import DraftEnded, RequestSaved, TermsAccepted
from services.requests.filing.consents import Consent
from services.requests.filing.save_request import Filing, save_request
from tests.builders.requests import (
    Town,
    a_form,
    a_portal,
    a_procedure,
    a_question,
    answers,
    some_sections,
)
from tests.service.requests.conftest import Counter
from tests.service.requests.reading import Page

SLUG = "anomalie-ypolice"
START = f"/procedures/{SLUG}"
NEXT = {"_then": "next"}
SAVE = {"_then": "save"}


@dataclass
class Scene:
    """A town before an offered procedure; its terms were accepted when its account was made."""

    counter: Counter
    tenant: UUID
    town: Town
    procedure: ProcedurePublished
    browser: httpx.AsyncClient

    async def form(self, **more: str) -> Page:
        """The form, as the introduction's button opens it."""
        introduction = await self.page("GET", START)
        return await self.page("POST", introduction.action, {**introduction.fields, **more})

    async def recap(self, **changes: str) -> Page:
        """The recap of these answers."""
        form = await self.form(terms="yes")
        return await self.page("POST", form.action, {**form.fields, **answers(**changes), **NEXT})

    async def page(
        self, method: str, path: str, data: dict[str, str] | None = None, status: int = 200
    ) -> Page:
        """A page, of that status."""
        answer = await self.browser.request(method, path, data=data)
        assert answer.status_code == status, answer.text
        return Page(answer.text)

    async def save(self, recap: Page) -> str:
        """Where saving leads."""
        answer = await self.browser.post(recap.action, data={**recap.fields, **SAVE})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def numbers(self) -> list[str]:
        """The numbers that were given out to forms, in order."""
        rows = await self.counter.of(
            self.tenant,
            "SELECT number FROM requests WHERE procedure_id IS NOT NULL ORDER BY number",
        )
        return [row[0] for row in rows]

    async def publishes(self, version: int, **changes: object) -> None:
        """The procedure is published anew."""
        again = self.procedure.model_copy(update={"form_version": version, **changes})
        await self.counter.hear(self.tenant, again, version=version)


@pytest.fixture
async def scene(counter: Counter) -> AsyncIterator[Scene]:
    tenant = await counter.portal()
    town = await counter.town(tenant)
    procedure = a_procedure()
    await counter.hear(tenant, procedure)
    async with counter.visitor(tenant, town.principal()) as browser:
        yield Scene(counter, tenant, town, procedure, browser)


async def test_a_request_is_filed_and_found_again(scene: Scene) -> None:
    recap = await scene.recap()
    assert recap.heading == "Informations de la demande"
    assert "Oui, tout est arrêté" in recap.text
    where = await scene.save(recap)
    saved = await scene.page("GET", where)
    assert "La demande Anomalie - logiciel YPolice a été enregistrée." in saved.text
    assert "2026-000002" in saved.text
    assert saved.path("Retour à mes demandes") == "/requests"
    assert saved.path("Fermer") == where.partition("?")[0]
    paper = await scene.page("GET", saved.path("Voir et imprimer la demande"))
    assert "L'écran reste blanc. Depuis ce matin." in paper.text
    assert "Ctrl" in paper.text
    requests = await scene.page("GET", "/requests")
    assert requests.path("2026-000002") == where.partition("?")[0]
    assert "Création de compte" in requests.text


async def test_the_other_services_are_told_of_it(scene: Scene) -> None:
    await scene.save(await scene.recap())
    saved = (await scene.counter.events(scene.tenant, RequestSaved))[-1]
    assert saved.number == "2026-000002"
    assert saved.procedure_id == scene.procedure.procedure_id
    assert saved.procedure_title == {"fr": "Anomalie - logiciel YPolice"}
    assert (saved.person_id, saved.account_id, saved.organisation_id) == (
        scene.town.person_id,
        scene.town.account_id,
        scene.town.organisation_id,
    )


async def test_the_form_is_filled_with_what_the_portal_knows(scene: Scene) -> None:
    form = await scene.form()
    assert form.fields["mail"] == "mairie@saint-amand.example"
    assert form.fields["phone"] == "04 72 00 00 00"
    assert form.fields["what"] == ""


async def test_who_accepted_the_terms_is_not_asked_again(scene: Scene) -> None:
    introduction = await scene.page("GET", START)
    assert "J'accepte" not in introduction.text
    assert "Cette démarche prend 5 minutes" in introduction.text
    await scene.save(await scene.recap())
    assert await scene.counter.events(scene.tenant, TermsAccepted) == []


async def test_new_terms_are_accepted_once_and_told(scene: Scene) -> None:
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    introduction = await scene.page("GET", START)
    assert "J'accepte les conditions générales d'utilisation du service" in introduction.text
    assert introduction.path("conditions générales d'utilisation") == "/texts/terms"
    before = clock.now()
    await scene.save(await scene.recap())
    [accepted] = await scene.counter.events(scene.tenant, TermsAccepted)
    assert (accepted.person_id, accepted.account_id) == (
        scene.town.person_id,
        scene.town.account_id,
    )
    assert accepted.terms_version == 2
    assert before - timedelta(seconds=1) <= accepted.accepted_at <= clock.now()
    assert "J'accepte" not in (await scene.page("GET", START)).text


async def test_without_the_tick_nothing_begins(scene: Scene) -> None:
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    introduction = await scene.page("GET", START)
    refused = await scene.page("POST", introduction.action, introduction.fields, status=422)
    assert refused.title.startswith("Erreur : Anomalie - logiciel YPolice")
    assert "Acceptez les conditions générales" in refused.text


async def test_terms_that_changed_under_the_tick_are_asked_for_again(scene: Scene) -> None:
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    introduction = await scene.page("GET", START)
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=3), version=3)
    ticked = {**introduction.fields, "terms": "yes"}
    refused = await scene.page("POST", introduction.action, ticked, status=422)
    assert "viennent de changer" in refused.text
    assert "terms" not in refused.fields


async def test_terms_that_change_while_one_fills_the_form_do_not_stop_it(scene: Scene) -> None:
    recap = await scene.recap()
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    await scene.save(recap)
    assert len(await scene.numbers()) == 1


async def test_a_bad_form_keeps_what_was_typed(scene: Scene) -> None:
    form = await scene.form()
    sent = {**form.fields, **answers(mail="nobody", what="Écran blanc"), **NEXT}
    refused = await scene.page("POST", form.action, sent, status=422)
    assert refused.title.startswith("Erreur : ")
    assert refused.fields["what"] == "Écran blanc"
    assert refused.fields["mail"] == "nobody"
    assert refused.fields["blocking"] == "yes"
    assert refused.action == form.action


async def test_the_recap_leads_back_to_the_form_with_all_values(scene: Scene) -> None:
    recap = await scene.recap()
    form = await scene.page("POST", recap.action, {**recap.fields, "_then": "edit"})
    assert form.action == f"{START}/form"
    assert form.fields["what"].strip() == "L'écran reste blanc.\nDepuis ce matin."
    assert form.fields["blocking"] == "yes"
    assert form.fields["phone"] == "04 72 00 00 00"


async def test_pressing_twice_saves_once(scene: Scene) -> None:
    recap = await scene.recap()
    assert await scene.save(recap) == await scene.save(recap)
    assert await scene.numbers() == ["2026-000002"]
    assert len(await scene.counter.events(scene.tenant, RequestSaved)) == 2  # the account's too


async def test_pressing_many_times_at_once_saves_once_and_leaves_no_gap(scene: Scene) -> None:
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    recap = await scene.recap()
    where = await asyncio.gather(*(scene.save(recap) for _ in range(6)))
    assert len(set(where)) == 1
    assert len(await scene.counter.events(scene.tenant, TermsAccepted)) == 1
    await scene.save(await scene.recap())
    assert await scene.numbers() == ["2026-000002", "2026-000003"]


async def test_twenty_saves_at_once_have_numbers_without_gap_or_double(scene: Scene) -> None:
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    recap = await scene.recap()  # of one person: their acceptance is contended too
    keys = [new_id().hex for _ in range(20)]

    async def save(key: str) -> str:
        recap_of_its_own = Page("")
        recap_of_its_own.action = recap.action
        recap_of_its_own.fields = {**recap.fields, "_key": key}
        return await scene.save(recap_of_its_own)

    where = await asyncio.gather(*(save(key) for key in keys))
    assert len(set(where)) == 20
    assert await scene.numbers() == [f"2026-{count:06d}" for count in range(2, 22)]
    assert len(await scene.counter.events(scene.tenant, TermsAccepted)) == 1


async def test_a_saved_request_is_found_though_its_procedure_was_retired(scene: Scene) -> None:
    recap = await scene.recap()
    where = await scene.save(recap)
    retired = ProcedureRetired(procedure_id=scene.procedure.procedure_id)
    await scene.counter.hear(scene.tenant, retired, version=2)
    assert await scene.save(recap) == where
    assert "enregistrée" in (await scene.page("GET", where)).text


async def test_a_procedure_retired_meanwhile_says_so_and_shows_the_answers(scene: Scene) -> None:
    form = await scene.form()
    recap = await scene.recap()
    retired = ProcedureRetired(procedure_id=scene.procedure.procedure_id)
    await scene.counter.hear(scene.tenant, retired, version=2)
    sent = {**form.fields, **answers()}
    for action, fields in ((form.action, sent), (recap.action, recap.fields)):
        gone = await scene.page("POST", action, fields, status=410)
        assert gone.heading == "Cette démarche n’est plus proposée"
        assert "Que se passe-t-il ? L'écran reste blanc. Depuis ce matin." in gone.text
        assert "Oui, tout est arrêté" in gone.text
    gone = await scene.page("GET", START, status=410)  # the draft is shown to its author
    assert "L'écran reste blanc. Depuis ce matin." in gone.text
    other = await scene.counter.town(scene.tenant)
    async with scene.counter.visitor(scene.tenant, other.principal()) as browser:
        assert (await browser.get(START)).status_code == 404
    assert await scene.numbers() == []


async def test_a_form_published_anew_leaves_what_was_begun_as_it_is(scene: Scene) -> None:
    recap = await scene.recap()
    since = a_question("since", label={"fr": "Depuis quand ?"})
    await scene.publishes(2, form=a_form(since), minutes=9)
    await scene.save(recap)
    assert await scene.counter.of(
        scene.tenant, "SELECT form_version FROM requests WHERE procedure_id IS NOT NULL"
    ) == [(1,)]


async def test_a_question_that_came_before_anything_was_kept_is_asked_and_all_else_kept(
    scene: Scene,
) -> None:
    form = await scene.form()
    since = a_question("since", label={"fr": "Depuis quand ?"})
    await scene.publishes(2, form=a_form(since))
    sent = {**form.fields, **answers(), **NEXT}
    form = await scene.page("POST", form.action, sent, status=422)
    assert "Depuis quand ?" in form.text
    assert form.fields["what"].strip() == "L'écran reste blanc.\nDepuis ce matin."
    again = {**form.fields, "since": "hier", "blocking": "yes", **NEXT}
    await scene.save(await scene.page("POST", form.action, again))
    assert len(await scene.numbers()) == 1


async def test_a_question_that_went_before_anything_was_kept_is_told(scene: Scene) -> None:
    since = a_question("since", label={"fr": "Depuis quand ?"})
    await scene.publishes(2, form=a_form(since))
    form = await scene.form()
    await scene.publishes(3, form=a_form())
    sent = {**form.fields, **answers(), "since": "hier soir", **NEXT}
    recap = await scene.page("POST", form.action, sent)
    assert "Depuis quand ? hier soir" in recap.text
    await scene.save(recap)
    assert len(await scene.numbers()) == 1


async def test_hidden_answers_are_read_again_before_saving(scene: Scene) -> None:
    recap = await scene.recap()
    sent = {**recap.fields, **SAVE}
    await scene.page("POST", recap.action, {**sent, "mail": "nobody"}, status=422)
    await scene.page("POST", recap.action, {**sent, "what": "Other"}, status=409)
    without_key = {**sent, "_key": ""}
    await scene.page("POST", recap.action, without_key, status=409)
    assert await scene.numbers() == []


async def test_somebody_elses_key_shows_them_nothing(scene: Scene) -> None:
    recap = await scene.recap()
    mine = await scene.save(recap)
    other = await scene.counter.town(scene.tenant)
    async with scene.counter.visitor(scene.tenant, other.principal()) as browser:
        answer = await browser.post(recap.action, data={**recap.fields, **SAVE})
        assert answer.status_code == 303  # the consent is another's, but they accepted the terms
        assert answer.headers["location"] != mine
    assert len(await scene.numbers()) == 2


async def test_a_consent_that_is_too_old_loses_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    recap = await scene.recap()
    later = clock.now() + timedelta(hours=25)

    def tomorrow() -> datetime:
        return later

    monkeypatch.setattr(clock, "now", tomorrow)
    again = await scene.page("POST", recap.action, recap.fields, status=422)
    assert "vos réponses sont conservées" in again.text
    form = await scene.page("POST", again.action, {**again.fields, "terms": "yes"})
    assert form.fields["what"].strip() == "L'écran reste blanc.\nDepuis ce matin."
    recap = await scene.page("POST", form.action, {**form.fields, **NEXT})
    await scene.save(recap)


async def test_a_forged_consent_is_none(scene: Scene) -> None:
    await scene.counter.hear(scene.tenant, a_portal(scene.tenant, terms=2), version=2)
    form = await scene.form(terms="yes")
    forged = {**form.fields, **answers(), "_consent": form.fields["_consent"][:-4] + "AAAA"}
    introduction = await scene.page("POST", form.action, forged, status=422)
    assert "J'accepte" in introduction.text


async def test_an_erased_person_saves_nothing(scene: Scene) -> None:
    recap = await scene.recap()
    await scene.counter.hear(scene.tenant, scene.town.is_erased(), version=3)
    answer = await scene.browser.post(recap.action, data={**recap.fields, **SAVE})
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("/sign-in")
    assert await scene.counter.of(scene.tenant, "SELECT id FROM requests") == []


async def test_an_erasure_waits_for_a_save_under_way_and_takes_its_answers(scene: Scene) -> None:
    database = scene.counter.runtime.database
    filing = Filing(
        key=new_id(),
        procedure_id=scene.procedure.procedure_id,
        procedure_title=scene.procedure.title,
        form_version=1,
        sections=some_sections(),
        consent=Consent(scene.tenant, scene.town.person_id, new_id(), 1, clock.now(), False),
        timezone="Europe/Paris",
    )
    async with database.begin(scene.tenant, scene.town.principal()) as work:
        await save_request(work, filing)
        erasing = asyncio.create_task(
            scene.counter.hear(scene.tenant, scene.town.is_erased(), version=3)
        )
        await asyncio.sleep(0.3)
        assert not erasing.done()
    await erasing
    left = await scene.counter.of(scene.tenant, "SELECT number, sections, person_id FROM requests")
    assert left == [("2026-000002", [], None)]


async def test_an_erasure_takes_the_answers_and_leaves_the_number(scene: Scene) -> None:
    await scene.save(await scene.recap())
    await scene.counter.hear(scene.tenant, scene.town.is_erased(), version=3)
    assert await scene.counter.of(
        scene.tenant, "SELECT number, sections, person_id, account_id, key FROM requests"
    ) == [("2026-000002", [], None, None, None)]
    # That a draft ended names nobody, and is told all the same.
    assert await scene.counter.of(
        scene.tenant,
        "SELECT envelope->>'type', (SELECT array_agg(key) FROM jsonb_object_keys(envelope->'data')"
        " AS key) FROM outbox",
    ) == [(DraftEnded.type_name(), ["draft_id"])]


async def test_an_account_of_this_moment_waits_for_its_profile(scene: Scene) -> None:
    newcomer = Town()
    async with scene.counter.visitor(scene.tenant, newcomer.principal()) as browser:
        answer = await browser.get(START)
        assert answer.status_code == 202
        assert answer.headers["refresh"] == f"1; url={START}"
        asked = asyncio.create_task(browser.get(START))
        await asyncio.sleep(0.1)
        await scene.counter.hear(scene.tenant, newcomer.is_called())
        assert (await asked).status_code == 200


async def test_who_is_not_signed_in_is_led_to_the_procedure_by_signing_in(scene: Scene) -> None:
    async with scene.counter.visitor(scene.tenant, ANONYMOUS) as browser:
        answer = await browser.get(START)
        assert answer.headers["location"] == f"/sign-in?next=%2Fprocedures%2F{SLUG}&why=procedure"
        answer = await browser.post(f"{START}/form", data=answers())
        where = f"/sign-in/again?form=%2Fprocedures%2F{SLUG}%2Fform"
        assert (answer.status_code, answer.headers["location"]) == (307, where)
    answer = await scene.browser.get(f"{START}/form")
    assert (answer.status_code, answer.headers["location"]) == (303, START)


async def test_only_customers_file(scene: Scene) -> None:
    agent = scene.town.principal(roles=frozenset({AGENT}))
    async with scene.counter.visitor(scene.tenant, agent) as browser:
        assert (await browser.get(START)).status_code == 403


async def test_a_procedure_that_opens_the_registration_leads_there(scene: Scene) -> None:
    creation = a_procedure(slug="creation-de-compte", opens="registration", form=None)
    await scene.counter.hear(scene.tenant, creation)
    answer = await scene.browser.get("/procedures/creation-de-compte")
    assert (answer.status_code, answer.headers["location"]) == (303, "/register")


async def test_a_procedure_of_another_tenant_does_not_exist_here(scene: Scene) -> None:
    elsewhere = await scene.counter.portal()
    other = await scene.counter.town(elsewhere)
    async with scene.counter.visitor(elsewhere, other.principal()) as browser:
        assert (await browser.get(START)).status_code == 404
