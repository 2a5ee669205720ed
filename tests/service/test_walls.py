"""Tenancy's second wall, row-level security, on every table that the migrated databases hold.

It is tried on a row of each of two tenants in every table, put there as superuser in a transaction
that is rolled back.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from chassis.database.roles import PREFIX, database_name, role_name
from chassis.ids import new_id
from guichet.parts import SERVICES
from tests.support.installation import Running
from tests.support.walled import Walled
from tests.support.walls import gaps, loose_functions, moved, roles_of

each_service = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture
async def walled(whole: Running, service: str) -> AsyncIterator[Walled]:
    """The service's database, filled; all of it undone after the test."""
    db = await whole.admin(service)
    outer = db.transaction()
    await outer.start()
    try:
        one = Walled(db, service)
        await one.fill()
        yield one
    finally:
        await outer.rollback()
        await db.close()


TOUCHES = (
    "SELECT tenant_id FROM {table}",
    "UPDATE {table} SET tenant_id = tenant_id RETURNING tenant_id",
    "DELETE FROM {table} RETURNING tenant_id",
)


@each_service
async def test_every_table_has_its_policies_rights_and_keys(walled: Walled, service: str) -> None:
    assert await gaps(walled.db, service) == []


NEGLECTED = {
    "no security": "CREATE TABLE forgotten (tenant_id uuid, id uuid, PRIMARY KEY (tenant_id, id))",
    "not forced": "ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY",
    "a policy for all": "CREATE POLICY more ON outbox USING (true)",
    "a policy too wide": "ALTER POLICY app_own ON outbox USING (true)",
    "no policy": "DROP POLICY app_own ON outbox",
    "a right too many": "GRANT SELECT ON projected TO PUBLIC",
    "a key across tenants": "CREATE UNIQUE INDEX wide ON outbox (id)",
    "a view": "CREATE VIEW shown AS SELECT * FROM outbox",
}


@pytest.mark.parametrize("service", ["catalog"])
@pytest.mark.parametrize("neglect", NEGLECTED)
async def test_a_table_that_is_neglected_is_found(
    walled: Walled, service: str, neglect: str
) -> None:
    await walled.db.execute(f"SET LOCAL ROLE {role_name(service, 'owner')}")
    await walled.db.execute(NEGLECTED[neglect])
    assert await gaps(walled.db, service) != []


@each_service
@pytest.mark.parametrize("touch", TOUCHES)
async def test_without_a_tenant_there_is_no_row_and_no_error(walled: Walled, touch: str) -> None:
    held = await walled.owners_of_rows("SELECT tenant_id FROM {table}")
    assert all({walled.a, walled.b} <= tenants for tenants in held.values())
    async with walled.acting("app"):
        assert set().union(*(await walled.owners_of_rows(touch)).values()) == set()


@each_service
@pytest.mark.parametrize("touch", TOUCHES)
async def test_a_tenant_touches_its_own_rows_alone(walled: Walled, touch: str) -> None:
    async with walled.acting("app", walled.b):
        touched = await walled.owners_of_rows(touch)
    assert touched == {table: {walled.b} for table in walled.tables}


@each_service
async def test_no_row_can_be_written_for_another_tenant(walled: Walled) -> None:
    third = new_id()
    written = []
    for tenant in (walled.b, None):
        async with walled.acting("app", tenant):
            for table in walled.tables:
                try:
                    async with walled.db.transaction():
                        await walled.insert(table, third)
                except asyncpg.InsufficientPrivilegeError:
                    continue
                written.append(table)
    assert written == []


@each_service
async def test_no_row_can_be_given_to_another_tenant(walled: Walled) -> None:
    async with walled.acting("app", walled.b):
        given = [
            table
            for table in walled.tables
            if not await walled.is_refused(f"UPDATE {table} SET tenant_id = $1", new_id())
        ]
    assert given == []


@each_service
async def test_the_mover_sees_whole_what_is_named_and_nothing_else(
    walled: Walled, service: str
) -> None:
    async with walled.acting("mover"):
        seen = {
            table for table in walled.tables if not await walled.is_refused(f"SELECT FROM {table}")
        }
        assert seen == moved(service)
        for table in seen:
            tenants = {
                row["tenant_id"] for row in await walled.db.fetch(f"SELECT tenant_id FROM {table}")
            }
            assert {walled.a, walled.b} <= tenants


@each_service
async def test_search_reads_everything_and_writes_nothing(walled: Walled) -> None:
    async with walled.acting("search"):
        seen = await walled.owners_of_rows("SELECT tenant_id FROM {table}")
        assert all({walled.a, walled.b} <= tenants for tenants in seen.values())
        for table in walled.tables:
            assert await walled.is_refused(f"UPDATE {table} SET tenant_id = tenant_id")
            assert await walled.is_refused(f"DELETE FROM {table}")


@each_service
async def test_what_is_of_no_tenant_is_the_movers_alone(walled: Walled) -> None:
    async with walled.acting("app", walled.b):
        assert await walled.db.fetchval("SELECT count(*) FROM epochs") == 1
        assert await walled.is_refused("UPDATE epochs SET epoch = epoch")
        assert await walled.is_refused("SELECT FROM inbox_notes")
        assert await walled.is_refused("SELECT FROM alembic_version")


# ── Roles and functions ──────────────────────────────────────────────────────────────────────────


async def test_no_role_is_above_the_walls(whole: Running) -> None:
    db = await whole.admin("identity")
    try:
        found = await db.fetch(
            """
            SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1) AND
                (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
            """,
            f"{PREFIX}_",
        )
        assert [row["rolname"] for row in found] == []
        for service in SERVICES:
            logins = await db.fetch(
                "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = ANY($1)",
                list(roles_of(service)),
            )
            _, app, mover, _ = roles_of(service)
            assert {row["rolname"] for row in logins} == {app, mover}
    finally:
        await db.close()


@each_service
async def test_a_login_is_nobody_else(whole: Running, service: str) -> None:
    db = await whole.admin(service)
    try:
        owner, app, mover, search = roles_of(service)
        for login, others in ((app, (owner, mover, search)), (mover, (owner, search))):
            for other in others:
                assert not await db.fetchval("SELECT pg_has_role($1, $2, 'MEMBER')", login, other)
        # The mover may act as app, and has none of its rights before it says so.
        assert await db.fetchval("SELECT pg_has_role($1, $2, 'MEMBER')", mover, app)
        assert not await db.fetchval("SELECT pg_has_role($1, $2, 'USAGE')", mover, app)
        for other in set(SERVICES) - {service}:
            for login in (role_name(other, "app"), role_name(other, "mover")):
                assert not await db.fetchval(
                    "SELECT has_database_privilege($1, $2, 'CONNECT')",
                    login,
                    database_name(service),
                )
    finally:
        await db.close()


@each_service
async def test_functions_beyond_a_tenant_are_few_and_fixed(walled: Walled, service: str) -> None:
    assert await loose_functions(walled.db, service) == []


@pytest.mark.parametrize("service", ["identity"])
async def test_a_loose_function_is_found(walled: Walled, service: str) -> None:
    await walled.db.execute(f"SET LOCAL ROLE {role_name(service, 'owner')}")
    await walled.db.execute(
        "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
        "AS 'SELECT count(*) FROM accounts'"
    )
    assert len(await loose_functions(walled.db, service)) == 4
