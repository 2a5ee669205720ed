"""An import changes and tells what differs, in one transaction, and nothing a second time."""

import asyncio
from importlib import resources
from uuid import UUID

from sqlalchemy import select

from contracts.catalog import CategoriesArranged, ProcedurePublished, ProcedureRetired
from services.catalog.domain.catalogue import CatalogueFile
from services.catalog.importing.import_catalogue import ImportOutcome
from services.catalog.importing.read_catalogue import read_catalogue
from services.catalog.tables import Category, FormVersion, Procedure
from tests.builders.catalog import (
    a_catalogue,
    a_category,
    a_form,
    a_procedure,
    the_registration,
)
from tests.service.catalog.conftest import Portal

NOTHING = ImportOutcome(new=(), changed=(), retired=(), rearranged=False)


async def procedure(portal: Portal, slug: str) -> list[Procedure]:
    """The rows of that slug, the oldest first."""
    async with portal.begin() as work:
        rows = await work.db.scalars(
            select(Procedure).where(Procedure.slug == slug).order_by(Procedure.generation)
        )
        return list(rows)


async def forms(portal: Portal, procedure_id: UUID) -> list[tuple[int, object]]:
    """The versions of a procedure's form."""
    async with portal.begin() as work:
        rows = await work.db.execute(
            select(FormVersion.number, FormVersion.form)
            .where(FormVersion.procedure_id == procedure_id)
            .order_by(FormVersion.number)
        )
        return [(row.number, row.form) for row in rows]


async def categories(portal: Portal) -> list[str]:
    """The slugs of the categories in their order."""
    async with portal.begin() as work:
        return list(await work.db.scalars(select(Category.slug).order_by(Category.position)))


async def test_all_is_published_and_arranged(portal: Portal) -> None:
    catalogue = a_catalogue(
        a_category("compte", the_registration()),
        a_category("logiciel", a_procedure("anomalie"), a_procedure("evolution")),
    )
    outcome = await portal.imports(catalogue)
    assert outcome.new == ("creation-de-compte", "anomalie", "evolution")
    assert outcome.rearranged
    account, anomaly, _ = await portal.told(ProcedurePublished)
    assert (account.opens, account.form, account.form_version) == ("registration", None, 0)
    assert (anomaly.opens, anomaly.form, anomaly.form_version) == ("form", a_form(), 1)
    (arranged,) = await portal.told(CategoriesArranged)
    assert [one.slug for one in arranged.categories] == ["compte", "logiciel"]
    assert arranged.categories[1].procedure_ids[0] == anomaly.procedure_id


async def test_a_second_import_changes_nothing_and_tells_nothing(portal: Portal) -> None:
    catalogue = a_catalogue(a_category("compte", the_registration()), a_category())
    await portal.imports(catalogue)
    before = await portal.envelopes()
    (held,) = await procedure(portal, "anomalie-logiciel")
    assert await portal.imports(catalogue) == NOTHING
    assert (await portal.imports(catalogue)).without_effect
    assert await portal.envelopes() == before
    (still,) = await procedure(portal, "anomalie-logiciel")
    assert (still.version, held.version) == (1, 1)
    assert still.published_at == held.published_at


async def test_a_changed_form_is_a_new_version_and_the_old_one_stays(portal: Portal) -> None:
    await portal.imports(a_catalogue(a_category("logiciel", a_procedure())))
    other = a_procedure(form=a_form("Depuis quand ?"))
    outcome = await portal.imports(a_catalogue(a_category("logiciel", other)))
    assert outcome == ImportOutcome(new=(), changed=("anomalie",), retired=(), rearranged=False)
    first, second = await portal.told(ProcedurePublished)
    assert first.procedure_id == second.procedure_id
    assert (second.form_version, second.form) == (2, other.form)
    assert await forms(portal, first.procedure_id) == [
        (1, a_form().model_dump(mode="json")),
        (2, a_form("Depuis quand ?").model_dump(mode="json")),
    ]


async def test_versions_rise_with_each_change(portal: Portal) -> None:
    for minutes in (5, 6, 7):
        await portal.imports(a_catalogue(a_category("a", a_procedure(minutes=minutes))))
    told = [one for one in await portal.envelopes() if one.type == ProcedurePublished.type_name()]
    assert [one.version for one in told] == [1, 2, 3]


async def test_another_order_is_told_alone(portal: Portal) -> None:
    one, two = a_procedure("a"), a_procedure("b")
    await portal.imports(a_catalogue(a_category("x", one, two)))
    told = len(await portal.envelopes())
    await portal.imports(a_catalogue(a_category("x", two, one)))
    (news,) = (await portal.envelopes())[told:]
    event = news.event()
    assert isinstance(event, CategoriesArranged)
    (second,) = await procedure(portal, "a")
    assert event.categories[0].procedure_ids[1] == second.id
    assert second.position == 1


async def test_what_is_not_named_is_retired_and_comes_back_as_another(portal: Portal) -> None:
    whole = a_catalogue(a_category("x", a_procedure("a")), a_category("y", a_procedure("b")))
    part = a_catalogue(a_category("x", a_procedure("a")))
    await portal.imports(whole)
    outcome = await portal.imports(part)
    assert outcome == ImportOutcome(new=(), changed=(), retired=("b",), rearranged=True)
    (gone,) = await procedure(portal, "b")
    assert gone.retired_at is not None
    assert gone.category_id is None
    assert [one.procedure_id for one in await portal.told(ProcedureRetired)] == [gone.id]
    assert await categories(portal) == ["x"]
    assert await portal.imports(part) == NOTHING

    assert (await portal.imports(whole)).new == ("b",)
    first, second = await procedure(portal, "b")
    assert (first.retired_at, second.retired_at) == (gone.retired_at, None)
    assert second.id != first.id
    assert (await portal.told(ProcedurePublished))[-1].procedure_id == second.id
    assert await categories(portal) == ["x", "y"]
    assert await portal.imports(whole) == NOTHING


async def test_a_procedure_moves_from_a_category_that_goes(portal: Portal) -> None:
    one, two = a_procedure("a"), a_procedure("b")
    await portal.imports(a_catalogue(a_category("x", one), a_category("y", two)))
    outcome = await portal.imports(a_catalogue(a_category("z", two, one)))
    assert outcome == ImportOutcome(new=(), changed=("b", "a"), retired=(), rearranged=True)
    assert await categories(portal) == ["z"]


async def test_everything_can_go(portal: Portal) -> None:
    await portal.imports(a_catalogue())
    outcome = await portal.imports(CatalogueFile(()))
    assert (outcome.retired, outcome.rearranged) == (("anomalie-logiciel",), True)
    assert await categories(portal) == []


async def test_two_imports_at_once_tell_all_once(portal: Portal) -> None:
    catalogue = a_catalogue(a_category("x", a_procedure("a"), a_procedure("b")))
    outcomes = await asyncio.gather(*(portal.imports(catalogue) for _ in range(4)))
    assert sorted(len(one.new) for one in outcomes) == [0, 0, 0, 2]
    assert len(await portal.told(ProcedurePublished)) == 2
    assert len(await portal.told(CategoriesArranged)) == 1


async def test_one_file_serves_two_tenants(portal: Portal, other_portal: Portal) -> None:
    catalogue = a_catalogue()
    await portal.imports(catalogue)
    await other_portal.imports(catalogue)
    (here,) = await procedure(portal, "anomalie-logiciel")
    (there,) = await procedure(other_portal, "anomalie-logiciel")
    assert here.id != there.id
    await other_portal.imports(CatalogueFile(()))
    assert await portal.imports(catalogue) == NOTHING


async def test_the_demo_is_imported_whole(portal: Portal) -> None:
    folder = resources.files("guichet") / "demo" / "ypok"
    catalogue = read_catalogue((folder / "catalogue.yaml").read_text("utf-8"))
    assert len((await portal.imports(catalogue)).new) == 16
    assert await portal.imports(catalogue) == NOTHING
    assert len(await categories(portal)) == 6
