"""What somebody began waits for them at the head of the home page, until it is sent or gone."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from chassis.ids import new_id
from chassis.principals import ANONYMOUS, Principal
from contracts.event import Event
from contracts.identity import AccountErased
from contracts.requests import DraftDiscarded, DraftEnded, DraftKept
from services.catalog.domain.identifiers import procedure_id
from services.catalog.tables import Draft
from tests.builders.catalog import a_catalogue, a_category, a_procedure
from tests.builders.requests import NOON, told
from tests.service.catalog.conftest import A_TOWN, Portal
from tests.service.catalog.test_pages import Main, page

ASSISTANCE, ANOMALY = "assistance-ypolice", "anomalie-ypolice"
CATALOGUE = a_catalogue(
    a_category(
        "ypolice",
        a_procedure(ASSISTANCE, title={"fr": "Assistance YPolice"}),
        a_procedure(ANOMALY, title={"fr": "Anomalie - logiciel YPolice"}),
    )
)
TURN = ("h2", "À vous de jouer")


async def hear(portal: Portal, event: Event, *, version: int = 1) -> None:
    """Be told of it, and handle it."""
    await portal.runtime.inbox.store([told(portal.tenant, event, version=version)])
    await portal.runtime.workers[0].drain()


def begun(portal: Portal, slug: str, reader: Principal = A_TOWN, *, days: int = 0) -> DraftKept:
    """The reader has begun that procedure."""
    assert reader.person_id is not None
    assert reader.account_id is not None
    return DraftKept(
        draft_id=new_id(),
        person_id=reader.person_id,
        account_id=reader.account_id,
        procedure_id=procedure_id(portal.tenant, slug, 1),
        form_version=1,
        saved_at=NOON + timedelta(days=days),
    )


def waiting(home: Main) -> list[str]:
    """Where one can go on, in the page's order."""
    return [href for text, href in home.links if text.startswith("Reprendre")]


async def drafts(portal: Portal) -> list[UUID]:
    """All drafts that are kept of this tenant."""
    async with portal.begin() as work:
        rows = await work.db.execute(select(Draft.id))
        return list(rows.scalars())


async def test_drafts_stand_before_all_else_latest_first(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    await hear(portal, begun(portal, ASSISTANCE))
    await hear(portal, begun(portal, ANOMALY, days=1))
    home = await page(portal, "/", A_TOWN)
    assert home.headings[:2] == [("h1", "Sélectionnez un service"), TURN]
    assert waiting(home) == [f"/procedures/{slug}?resume=1" for slug in (ANOMALY, ASSISTANCE)]
    assert "Assistance YPolice Brouillon enregistré le 5 avril 2026" in home.text


async def test_nothing_is_said_where_nothing_waits(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    await hear(portal, begun(portal, ASSISTANCE))
    somebody_else = Principal(kind="person", account_id=new_id(), person_id=new_id())
    for reader in (ANONYMOUS, somebody_else):
        assert TURN not in (await page(portal, "/", reader)).headings


async def test_what_ended_waits_no_more_whatever_comes_late(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    draft = begun(portal, ASSISTANCE)
    await hear(portal, draft)
    await hear(portal, DraftEnded(draft_id=draft.draft_id), version=2)
    await hear(portal, draft)
    assert TURN not in (await page(portal, "/", A_TOWN)).headings
    assert await drafts(portal) == []


async def test_what_was_thrown_away_waits_again_once_it_is_taken_back(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    draft = begun(portal, ASSISTANCE)
    discarded = DraftDiscarded(
        draft_id=draft.draft_id,
        person_id=draft.person_id,
        account_id=draft.account_id,
        procedure_id=draft.procedure_id,
        discarded_at=NOON,
    )
    await hear(portal, draft)
    await hear(portal, discarded, version=2)
    assert TURN not in (await page(portal, "/", A_TOWN)).headings
    await hear(portal, draft, version=3)
    await hear(portal, discarded, version=2)  # late
    assert len(waiting(await page(portal, "/", A_TOWN))) == 1


async def test_a_draft_can_be_deleted_where_it_waits(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    draft = begun(portal, ASSISTANCE)
    await hear(portal, draft)
    home = await portal.get("/", A_TOWN)
    assert f'action="/requests/drafts/{draft.draft_id}/discard"' in home.text


async def test_of_a_retired_procedure_there_is_nothing_to_resume(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    await hear(portal, begun(portal, ASSISTANCE))
    await hear(portal, begun(portal, ANOMALY))
    await portal.imports(a_catalogue(a_category("ypolice", a_procedure(ANOMALY))))
    assert waiting(await page(portal, "/", A_TOWN)) == [f"/procedures/{ANOMALY}?resume=1"]


async def test_who_is_erased_leaves_no_draft_and_gets_none(portal: Portal) -> None:
    gone = Principal(kind="person", account_id=new_id(), person_id=new_id())
    assert gone.account_id is not None
    assert gone.person_id is not None
    await hear(portal, begun(portal, ASSISTANCE, gone))
    stays = begun(portal, ASSISTANCE)
    await hear(portal, stays)
    await hear(portal, AccountErased(account_id=gone.account_id, person_id=gone.person_id))
    await hear(portal, begun(portal, ANOMALY, gone))
    assert await drafts(portal) == [stays.draft_id]


async def test_another_tenants_drafts_are_not_there(portal: Portal, other_portal: Portal) -> None:
    for one in (portal, other_portal):
        await one.imports(CATALOGUE)
    await hear(other_portal, begun(other_portal, ASSISTANCE))
    assert TURN not in (await page(portal, "/", A_TOWN)).headings
