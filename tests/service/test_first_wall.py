"""Tenancy's first wall: the unit of work, tried where the second does not stand."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, exists, select, text, update
from sqlalchemy.orm import aliased

from chassis.database.connection import create_engine
from chassis.database.migrate import with_database
from chassis.database.roles import database_name
from chassis.database.session import session_of
from chassis.ids import new_id
from chassis.principals import ANONYMOUS
from chassis.work import UnitOfWork
from services.identity.tables import Account, Organisation, Person
from tests.support.installation import Running
from tests.support.walled import Walled


@pytest.fixture
async def unwalled(whole: Running) -> AsyncIterator[UnitOfWork]:
    """A superuser's unit of work of B, in a database that holds rows of A and B; undone after."""
    url = with_database(whole.admin_url, database_name("identity"))
    engine = create_engine(url, size=1, application="tests")
    try:
        async with engine.connect() as connection, connection.begin() as outer:
            await connection.execute(text("SELECT 1"))  # until then the transaction is not begun
            driver = await connection.get_raw_connection()
            assert driver.driver_connection is not None
            filled = Walled(driver.driver_connection, "identity")
            await filled.fill()
            joined = {"join_transaction_mode": "create_savepoint"}
            async with session_of(filled.b, connection, **joined) as db:
                work = UnitOfWork(db, principal=ANONYMOUS, epoch=1, timers={})
                yield work
            await outer.rollback()
    finally:
        await engine.dispose()


async def tenants_in(work: UnitOfWork, table: str) -> set[UUID]:
    """Whose rows a table holds, as one sees it who stands behind no wall."""
    found = await work.db.execute(text(f"SELECT tenant_id FROM {table}"))
    return set(found.scalars())


async def test_reads_are_filtered_however_they_are_put(unwalled: UnitOfWork) -> None:
    other = aliased(Organisation)
    questions: dict[str, Any] = {
        "rows": select(Organisation.tenant_id),
        "an alias": select(other.tenant_id),
        "a join": select(Account.tenant_id).join(Person, Account.person_id != Person.id),
        "a join from the other side": select(Person.tenant_id).join(
            Account, Account.person_id != Person.id
        ),
        "a subquery": select(select(Account.tenant_id).subquery().c.tenant_id),
        "a condition": select(Person.tenant_id).where(
            exists().where(Account.tenant_id != unwalled.tenant)
        ),
        "a union": select(Person.tenant_id).union(select(Account.tenant_id)),
    }
    assert len(await tenants_in(unwalled, "organisations")) > 1
    for how, question in questions.items():
        found = await unwalled.db.execute(question)
        assert set(found.scalars()) <= {unwalled.tenant}, how
    assert (await unwalled.db.execute(questions["rows"])).scalars().all() == [unwalled.tenant]
    assert (await unwalled.db.execute(questions["a condition"])).scalars().all() == []


async def test_sessions_of_two_tenants_see_their_own_by_the_same_question(
    unwalled: UnitOfWork,
) -> None:
    tenants = sorted(await tenants_in(unwalled, "organisations"))
    connection = await unwalled.db.connection()
    for tenant in tenants * 2:
        joined = {"join_transaction_mode": "create_savepoint"}
        async with session_of(tenant, connection, **joined) as db:
            found = await db.execute(select(Organisation.tenant_id))
            assert set(found.scalars()) == {tenant}
    assert len(tenants) > 1


async def test_changes_in_bulk_are_filtered(unwalled: UnitOfWork) -> None:
    await unwalled.db.execute(update(Organisation).values(name="changed"))
    changed = await unwalled.db.execute(
        text("SELECT tenant_id FROM organisations WHERE name = 'changed'")
    )
    assert changed.scalars().all() == [unwalled.tenant]
    before = await tenants_in(unwalled, "organisations")
    await unwalled.db.execute(delete(Organisation))
    assert before - await tenants_in(unwalled, "organisations") == {unwalled.tenant}


async def test_a_row_of_another_tenant_is_refused(unwalled: UnitOfWork) -> None:
    facts = {"id": new_id(), "name": "", "city": "", "postcode": "", "version": 0}
    unwalled.db.add(Organisation(tenant_id=new_id(), **facts))
    with pytest.raises(PermissionError):
        await unwalled.db.flush()
    unwalled.db.expunge_all()
    own = await unwalled.find(Organisation, Organisation.id == unwalled.tenant)
    assert own is not None
    own.tenant_id = new_id()
    with pytest.raises(PermissionError):
        await unwalled.db.flush()


async def test_a_new_row_is_of_the_units_tenant(unwalled: UnitOfWork) -> None:
    row = unwalled.add(Organisation(id=new_id(), name="", city="", postcode=""))
    await unwalled.db.flush()
    assert row.tenant_id == unwalled.tenant
