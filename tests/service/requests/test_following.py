"""A customer follows their requests."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from chassis import clock, signatures
from chassis.ids import new_id
from chassis.principals import ANONYMOUS, Principal
from services.requests.tables import Request
from tests.builders.requests import NOON, Town
from tests.service.requests.conftest import Counter
from tests.service.requests.reading import Page
from tests.support import pdf

BROWSER = Principal(browser="b" * 64)


def a_handle(counter: Counter, tenant: UUID, request_id: UUID) -> str:
    kid, private = counter.runtime.keys.signing_key("identity")
    claims = {
        "p": "print",
        "r": str(request_id),
        "t": str(tenant),
        "b": BROWSER.browser,
        "u": (clock.now() + timedelta(hours=1)).timestamp(),
    }
    return "/requests/handle/" + signatures.sign(private, kid, claims)


async def test_an_empty_list_says_so_and_leads_to_the_catalogue(counter: Counter) -> None:
    tenant = await counter.portal()
    async with counter.visitor(tenant, Town().principal()) as browser:
        page = Page((await browser.get("/requests")).text)
    assert "pas encore de demande" in page.text
    assert page.path("Voir tous les services") == "/"


async def test_the_list_comes_in_pages_and_misses_none(counter: Counter) -> None:
    tenant = await counter.portal()
    town = Town()
    async with counter.runtime.database.begin(tenant) as work:
        for count in range(120):
            work.add(
                Request(
                    id=new_id(),
                    number=f"2026-{count:06d}",
                    procedure_title={"fr": "Anomalie"},
                    sections=[],
                    person_id=town.person_id if count % 2 == 0 or count < 110 else new_id(),
                    state="saved",
                    saved_at=NOON + timedelta(minutes=count // 7),  # several at one instant
                )
            )
    seen: list[str] = []
    path, pages = "/requests", 0
    async with counter.visitor(tenant, town.principal()) as browser:
        while path:
            page = Page((await browser.get(path)).text)
            seen += [name for name in page.links if name.startswith("2026-")]
            older = "Demandes plus anciennes"
            path = page.path(older) if older in page.links else ""
            pages += 1
        assert pages == 3
        assert len(seen) == len(set(seen)) == 115
        assert seen[-1] < "2026-000007"
        for odd in ("nonsense", str(new_id())):
            answer = await browser.get("/requests", params={"older_than": odd})
            assert answer.status_code == 200


async def test_somebody_elses_request_is_as_one_that_does_not_exist(counter: Counter) -> None:
    tenant = await counter.portal()
    mine, other = await counter.town(tenant), await counter.town(tenant)
    for suffix in ("", "/print", "/pdf"):
        async with counter.visitor(tenant, mine.principal()) as browser:
            assert (await browser.get(f"/requests/{mine.request_id}{suffix}")).status_code == 200
            foreign = await browser.get(f"/requests/{other.request_id}{suffix}")
            nothing = await browser.get(f"/requests/{new_id()}{suffix}")
            malformed = await browser.get(f"/requests/nonsense{suffix}")
        assert foreign.status_code == nothing.status_code == malformed.status_code == 404
        assert foreign.content == nothing.content == malformed.content


async def test_a_handle_shows_what_was_just_saved_to_a_signed_out_browser(
    counter: Counter,
) -> None:
    tenant = await counter.portal()
    town = Town()
    path = a_handle(counter, tenant, town.request_id)
    async with counter.visitor(tenant, BROWSER) as browser:
        waiting = await browser.get(path)
        assert waiting.status_code == 202
        assert waiting.headers["refresh"] == f"1; url={path}"
        asked = asyncio.create_task(browser.get(path))
        await asyncio.sleep(0.1)
        await counter.hear(tenant, town.submits())
        answer = await asked
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.heading == "Demande 2026-000001"
    assert "Création de compte" in page.text
    assert "Saint-Amand" in page.text


async def test_a_request_is_a_file_named_by_its_number(counter: Counter) -> None:
    tenant = await counter.portal()
    town = await counter.town(tenant)
    async with counter.visitor(tenant, town.principal()) as browser:
        page = Page((await browser.get(f"/requests/{town.request_id}")).text)
        paper = Page((await browser.get(f"/requests/{town.request_id}/print")).text)
        path = page.path("Télécharger en PDF")
        assert path == paper.path("Télécharger en PDF") == f"/requests/{town.request_id}/pdf"
        answer = await browser.get(path)
        assert (await browser.head(path)).status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="2026-000001.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    found = pdf.read(answer.content)
    assert found.title == "Demande 2026-000001 – Création de compte"
    assert "Saint-Amand" in found.text


@pytest.mark.parametrize(
    ("language", "accepted", "refused", "too_old"),
    [
        (
            "fr",
            "Courriel avec le lien d’activation du compte : accepté par le serveur de messagerie",
            "Courriel de confirmation de la demande : refusé par le serveur de messagerie",
            "Courriel sur la demande : non envoyé : il n’a pas pu partir à temps",
        ),
        (
            "en",
            "Email with the link that activates the account: accepted by the mail server",
            "Email that confirms the request: refused by the mail server",
            "Email about the request: not sent: it could not leave in time",
        ),
    ],
)
async def test_a_request_tells_what_became_of_its_mails_to_its_person_alone(
    counter: Counter, language: str, accepted: str, refused: str, too_old: str
) -> None:
    tenant = await counter.portal(languages=("fr", "en"))
    town, neighbour = await counter.town(tenant), await counter.town(tenant)
    about = {"submission_id": None, "request_id": town.request_id}
    await counter.hear(
        tenant,
        town.gets_mail(),
        town.gets_no_mail(**about, template="request_recorded"),
        town.gets_no_mail(**about, template="of later", cause="too_old", code=None, words=""),
        neighbour.gets_mail(words="2.0.0 queued as THEIRS"),
    )
    async with counter.visitor(tenant, town.principal(), language=language) as browser:
        page = Page((await browser.get(f"/requests/{town.request_id}")).text.replace("\u00a0", " "))
        paper = await browser.get(f"/requests/{town.request_id}/print")
    for sentence in (accepted, "250 2.0.0 queued as 4TQ1", refused, "550 5.1.1 no such", too_old):
        assert sentence in page.text
    assert "THEIRS" not in page.text
    assert "None" not in page.text
    async with counter.visitor(tenant, BROWSER) as browser:
        by_handle = await browser.get(a_handle(counter, tenant, town.request_id))
    for answer in (paper, by_handle):
        assert answer.status_code == 200
        assert "4TQ1" not in answer.text
        assert "messagerie" not in answer.text
        assert "mail server" not in answer.text


async def test_the_print_page_is_the_same_whatever_became_of_a_mail(counter: Counter) -> None:
    tenant = await counter.portal()
    town = Town()
    await counter.hear(tenant, town.submits())
    path = a_handle(counter, tenant, town.request_id)
    async with counter.visitor(tenant, BROWSER) as browser:
        before = await browser.get(path)
        await counter.hear(tenant, town.gets_no_mail())
        assert (await browser.get(path)).text == before.text


async def test_a_handle_gives_the_file_to_a_signed_out_browser(counter: Counter) -> None:
    tenant = await counter.portal()
    town = Town()
    await counter.hear(tenant, town.submits())
    path = a_handle(counter, tenant, town.request_id)
    async with counter.visitor(tenant, BROWSER) as browser:
        paper = Page((await browser.get(path)).text)
        assert paper.path("Télécharger en PDF") == f"{path}/pdf"
        answer = await browser.get(f"{path}/pdf")
    assert answer.status_code == 200
    assert "Demande 2026-000001" in pdf.read(answer.content).text


async def test_a_handle_serves_no_other_browser_and_no_other_tenant(counter: Counter) -> None:
    tenant, elsewhere = await counter.portal(), await counter.portal()
    town = Town()
    await counter.hear(tenant, town.submits())
    path = a_handle(counter, tenant, town.request_id)
    answers = []
    for where, who, asked in (
        (tenant, ANONYMOUS, path),
        (tenant, ANONYMOUS, f"{path}/pdf"),
        (elsewhere, BROWSER, f"{path}/pdf"),
        (tenant, Principal(browser="c" * 64), path),
        (elsewhere, BROWSER, path),
        (tenant, BROWSER, path[:-4] + "AAAA"),
        (tenant, BROWSER, "/requests/handle/nonsense"),
    ):
        async with counter.visitor(where, who) as browser:
            answers.append(await browser.get(asked))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert Page(answers[0].text).path("Me connecter").startswith("/sign-in")


async def test_following_asks_for_a_signed_in_customer(counter: Counter) -> None:
    tenant = await counter.portal()
    async with counter.visitor(tenant) as browser:
        for path in (
            "/requests",
            f"/requests/{new_id()}",
            f"/requests/{new_id()}/pdf",
            "/exchanges",
        ):
            answer = await browser.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in?")


async def test_reading_changes_nothing(counter: Counter) -> None:
    tenant = await counter.portal()
    town = await counter.town(tenant)
    before = await counter.of(tenant, "SELECT * FROM requests")
    async with counter.visitor(tenant, town.principal()) as browser:
        for path in ("/requests", f"/requests/{town.request_id}", "/exchanges"):
            assert (await browser.head(path)).status_code == 200
            assert (await browser.get(path)).status_code == 200
    assert await counter.of(tenant, "SELECT * FROM requests") == before


async def test_the_exchanges_tell_how_to_reach_the_team(counter: Counter) -> None:
    tenant = await counter.portal()
    async with counter.visitor(tenant, Town().principal()) as browser:
        page = Page((await browser.get("/exchanges")).text)
    assert page.heading == "Échanges"
    assert "04.72.26.06.86 , 24h/24 et 7j/7" in page.text
    assert "sav@ypok.example" in page.links
