"""An import comes to what differs, and to nothing where nothing does."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.catalog.domain.catalogue import CatalogueFile
from services.catalog.domain.changes import Changes, Held, HeldProcedure, changes
from tests.builders.catalog import (
    a_catalogue,
    a_category,
    a_form,
    a_procedure,
    the_registration,
)

TENANT = UUID("01987c3e-6b00-7000-8000-0000000000aa")
OTHER = UUID("01987c3e-6b00-7000-8000-0000000000bb")


def plan(held: Held, wanted: CatalogueFile) -> Changes:
    """What the tenant's import of `wanted` comes to."""
    return changes(TENANT, held, wanted)


def once_imported(catalogue: CatalogueFile, before: Held | None = None) -> Held:
    """What is offered when the catalogue has been imported."""
    before = before or Held()
    done = plan(before, catalogue)
    known = {one.id: one for one in before.procedures.values()}
    for one in done.publications:
        known[one.id] = HeldProcedure(
            id=one.id,
            category_id=one.category_id,
            slug=one.wanted.slug,
            title=one.wanted.title,
            description=one.wanted.description,
            minutes=one.wanted.minutes,
            opens=one.wanted.opens,
            form_version=one.form_version,
            form=one.wanted.form,
        )
    gone = {one.id for one in done.retired}
    first = {one.wanted.slug: one.generation for one in done.publications if one.is_new}
    return Held(
        arrangement=done.arrangement,
        procedures={one.slug: one for one in known.values() if one.id not in gone},
        generations={**before.generations, **first},
    )


def test_the_first_import_publishes_all_and_arranges_it() -> None:
    catalogue = a_catalogue(
        a_category("compte", the_registration()),
        a_category("logiciel", a_procedure("anomalie"), a_procedure("evolution")),
    )
    done = plan(Held(), catalogue)
    assert [one.wanted.slug for one in done.publications] == [
        "creation-de-compte",
        "anomalie",
        "evolution",
    ]
    assert all(one.is_new and one.generation == 1 for one in done.publications)
    assert [one.form_version for one in done.publications] == [0, 1, 1]
    assert done.rearranged
    assert [one.slug for one in done.arrangement] == ["compte", "logiciel"]
    assert done.arrangement[1].procedure_ids == tuple(one.id for one in done.publications[1:])
    assert done.retired == ()


def test_the_second_import_comes_to_nothing() -> None:
    catalogue = a_catalogue(a_category("compte", the_registration()), a_category())
    done = plan(once_imported(catalogue), catalogue)
    assert (done.publications, done.retired, done.rearranged) == ((), (), False)


def test_an_empty_catalogue_comes_to_nothing_at_first() -> None:
    done = plan(Held(), CatalogueFile(()))
    assert (done.publications, done.retired, done.rearranged) == ((), (), False)


def test_ids_follow_from_tenant_and_slug() -> None:
    catalogue = a_catalogue(a_category("logiciel", a_procedure("a"), a_procedure("b")))
    here = [one.id for one in plan(Held(), catalogue).publications]
    assert here == [one.id for one in plan(Held(), catalogue).publications]
    there = [one.id for one in changes(OTHER, Held(), catalogue).publications]
    assert len({*here, *there}) == 4


@pytest.mark.parametrize(
    "changed",
    [
        a_procedure(title={"fr": "Panne"}),
        a_procedure(description={"fr": "Autrement."}),
        a_procedure(minutes=9),
    ],
    ids=["title", "description", "minutes"],
)
def test_what_is_said_of_a_procedure_is_published_anew_under_its_form(changed: object) -> None:
    held = once_imported(a_catalogue(a_category("logiciel", a_procedure())))
    done = plan(held, a_catalogue(a_category("logiciel", changed)))  # type: ignore[arg-type]  # of the three above
    (publication,) = done.publications
    assert publication.id == held.procedures["anomalie"].id
    assert (publication.form_version, publication.new_form) == (1, None)
    assert not done.rearranged


def test_a_changed_form_is_a_new_version() -> None:
    held = once_imported(a_catalogue(a_category("logiciel", a_procedure())))
    other = a_procedure(form=a_form("Depuis quand ?"))
    (publication,) = plan(held, a_catalogue(a_category("logiciel", other))).publications
    assert (publication.form_version, publication.new_form) == (2, other.form)


def test_a_form_that_goes_and_comes_back_is_a_further_version() -> None:
    first = a_catalogue(a_category("logiciel", a_procedure()))
    without = a_catalogue(
        a_category("logiciel", a_procedure(opens="registration", form=None)),
    )
    held = once_imported(first)
    (gone,) = plan(held, without).publications
    assert (gone.form_version, gone.new_form) == (1, None)
    (back,) = plan(once_imported(without, held), first).publications
    assert (back.form_version, back.new_form) == (2, a_form())


def test_another_order_is_told_without_publishing_anything() -> None:
    one, two = a_procedure("a"), a_procedure("b")
    held = once_imported(a_catalogue(a_category("logiciel", one, two)))
    done = plan(held, a_catalogue(a_category("logiciel", two, one)))
    assert done.rearranged
    assert (done.publications, done.retired) == ((), ())


def test_another_drawing_is_told_without_publishing_anything() -> None:
    done = plan(once_imported(a_catalogue(a_category())), a_catalogue(a_category(icon="bug")))
    assert done.rearranged
    assert done.publications == ()


def test_a_category_said_otherwise_is_told_without_publishing_anything() -> None:
    held = once_imported(a_catalogue(a_category()))
    done = plan(held, a_catalogue(a_category(about={"fr": "autre chose"})))
    assert done.rearranged
    assert done.publications == ()


def test_a_procedure_in_another_category_is_published_and_arranged() -> None:
    one, two = a_procedure("a"), a_procedure("b")
    held = once_imported(a_catalogue(a_category("x", one), a_category("y", two)))
    done = plan(held, a_catalogue(a_category("x", a_procedure("c")), a_category("y", two, one)))
    assert [(it.wanted.slug, it.is_new) for it in done.publications] == [("c", True), ("a", False)]
    assert done.rearranged
    assert done.retired == ()


def test_what_is_not_named_is_retired_and_comes_back_as_another() -> None:
    whole = a_catalogue(a_category("logiciel", a_procedure("a"), a_procedure("b")))
    part = a_catalogue(a_category("logiciel", a_procedure("a")))
    held = once_imported(whole)
    done = plan(held, part)
    assert [one.slug for one in done.retired] == ["b"]
    assert (done.publications, done.rearranged) == ((), True)

    (back,) = plan(once_imported(part, held), whole).publications
    assert back.is_new
    assert (back.generation, back.form_version) == (2, 1)
    assert back.id != held.procedures["b"].id


def test_each_return_is_another_procedure() -> None:
    catalogue = a_catalogue(a_category("logiciel", a_procedure("a")))
    ids = {
        plan(replace(Held(), generations={"a": gone}), catalogue).publications[0].id
        for gone in range(5)
    }
    assert len(ids) == 5
