"""Tenancy's two walls, on every table that the migrated databases hold.

Tables, functions and roles are found in PostgreSQL's own catalogue, so that a new one is tried
without being named here. The second wall is tried on a row of each of two tenants in every table,
put there as superuser in a transaction that is rolled back.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import delete, exists, select, text, update
from sqlalchemy.orm import aliased

from chassis.database.connection import TENANT_SETTING, create_engine
from chassis.database.migrate import with_database
from chassis.database.roles import MOVED, PREFIX, database_name, role_name
from chassis.database.session import session_of
from chassis.database.tables import TENANTLESS
from chassis.ids import new_id
from chassis.principals import ANONYMOUS
from chassis.work import UnitOfWork
from guichet.parts import SERVICES
from services.identity.tables import Account, Organisation, Person
from tests.support.installation import Running

EXEMPT = {*TENANTLESS, "alembic_version"}
"""No tenant's: the steps that were run, the workers' notes, the epoch."""

QUEUES = {"notifier": {"mails", "attempts"}}
"""What the mover of a service sees whole, besides the chassis' own tables."""

ACROSS_TENANTS = {"uq_tenants_slug", "uq_tenants_host"}
"""Unique in the whole installation, and so not led by the tenant."""

LOOKING_BEYOND = {("identity", "tenant_by_host"), ("identity", "all_tenants")}
"""Functions that read more than one tenant's rows."""

OWN_ROWS = (
    f"(tenant_id = (NULLIF(current_setting('{TENANT_SETTING}'::text, true), ''::text))::uuid)"
)

EVERY = {"SELECT", "INSERT", "UPDATE", "DELETE"}

each_service = pytest.mark.parametrize("service", SERVICES)


# ── What is found in a database ──────────────────────────────────────────────────────────────────


async def relations(db: asyncpg.Connection) -> dict[str, asyncpg.Record]:
    """Whatever rows can be read from, by name, but for PostgreSQL's own."""
    found = await db.fetch("""
        SELECT oid, relname, relkind, relrowsecurity, relforcerowsecurity,
            pg_get_userbyid(relowner) AS owner
        FROM pg_class
        WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace NOT IN (
            SELECT oid FROM pg_namespace
            WHERE nspname ~ '^pg_' OR nspname = 'information_schema')
    """)
    return {row["relname"]: row for row in found}


async def tables(db: asyncpg.Connection) -> list[str]:
    """The tables that hold tenants' data."""
    return sorted(set(await relations(db)) - EXEMPT)


async def gaps(db: asyncpg.Connection, service: str) -> list[str]:
    """What is missing from the wall around this database, a line each."""
    found: list[str] = []
    for name, table in (await relations(db)).items():
        if name in EXEMPT:
            continue
        if table["relkind"] not in (b"r", b"p"):
            found.append(f"{name}: no table; what it shows is read with its owner's rights")
        if not table["relrowsecurity"]:
            found.append(f"{name}: row-level security is not enabled")
        if not table["relforcerowsecurity"]:
            found.append(f"{name}: row-level security is not forced")
        if table["owner"] != role_name(service, "owner"):
            found.append(f"{name}: owned by {table['owner']}")
        found += [f"{name}: {line}" for line in await wrong_policies(db, service, name)]
        found += [f"{name}: {line}" for line in await wrong_grants(db, service, name)]
        found += [f"{name}: {line}" for line in await keys_without_tenant(db, table["oid"])]
    return found


async def wrong_policies(db: asyncpg.Connection, service: str, table: str) -> list[str]:
    """Policies that let a role see more, or less, than its own."""
    rows = await db.fetch("SELECT * FROM pg_policies WHERE tablename = $1", table)
    policies = {
        (role, row["cmd"], row["permissive"], row["qual"], row["with_check"])
        for row in rows
        for role in row["roles"]
    }
    owner, app, mover, search = roles_of(service)
    wanted: set[tuple[str, str, str, str | None, str | None]] = {
        (owner, "ALL", "PERMISSIVE", "true", "true"),
        (app, "ALL", "PERMISSIVE", OWN_ROWS, OWN_ROWS),
        (search, "SELECT", "PERMISSIVE", "true", None),
    }
    if table in moved(service):
        wanted.add((mover, "ALL", "PERMISSIVE", "true", "true"))
    return [f"has the policy {one}" for one in policies - wanted] + [
        f"lacks the policy {one}" for one in wanted - policies
    ]


async def wrong_grants(db: asyncpg.Connection, service: str, table: str) -> list[str]:
    """Rights on a table that go beyond what its role does there."""
    owner, app, mover, search = roles_of(service)
    rows = await db.fetch(
        """
        SELECT grantee, array_agg(privilege_type::text) AS rights
        FROM information_schema.role_table_grants WHERE table_name = $1 GROUP BY grantee
        """,
        table,
    )
    wanted = {app: EVERY, search: {"SELECT"}}
    if table in moved(service):
        wanted[mover] = EVERY
    given = {row["grantee"]: set(row["rights"]) for row in rows if row["grantee"] != owner}
    return [] if given == wanted else [f"grants {given}"]


async def keys_without_tenant(db: asyncpg.Connection, oid: int) -> list[str]:
    """Keys that are not led by `tenant_id`: primary, unique and foreign ones."""
    uniques = await db.fetch(
        """
        SELECT indexrelid::regclass::text AS name, attname FROM pg_index
        LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = $1 AND indisunique
        """,
        oid,
    )
    foreign = await db.fetch(
        """
        SELECT conname AS name, attname FROM pg_constraint
        JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
        WHERE conrelid = $1 AND contype = 'f'
        """,
        oid,
    )
    lines = [
        f"the key {row['name']} is not led by tenant_id"
        for row in (*uniques, *foreign)
        if row["attname"] != "tenant_id" and row["name"] not in ACROSS_TENANTS
    ]
    return lines if uniques else [*lines, "has no key"]


def roles_of(service: str) -> tuple[str, str, str, str]:
    """Owner, app, mover and search."""
    return (
        role_name(service, "owner"),
        role_name(service, "app"),
        role_name(service, "mover"),
        role_name(service, "search"),
    )


def moved(service: str) -> set[str]:
    """The tables that the service's mover sees whole."""
    return {*MOVED, *QUEUES.get(service, ())}


# ── A database with rows of two tenants ──────────────────────────────────────────────────────────


class Walled:
    """A superuser's transaction on a database in which every table holds a row of A and one of B.

    Foreign keys are not looked at while the rows are put in; nobody else sees them.
    """

    def __init__(self, db: asyncpg.Connection, service: str) -> None:
        self.db = db
        self.service = service
        self.a, self.b = new_id(), new_id()
        self.tables: list[str] = []

    async def fill(self) -> None:
        """Put the rows in, made from each column's type."""
        self.tables = await tables(self.db)
        await self.db.execute("SET LOCAL session_replication_role = replica")
        for table in self.tables:
            for tenant in (self.a, self.b):
                await self.insert(table, tenant)

    async def insert(self, table: str, tenant: UUID) -> None:
        """A row of the tenant, its optional columns empty but for one that a check asks for."""
        columns = await self.db.fetch(
            """
            SELECT attname AS name, format_type(atttypid, NULL) AS type, attnotnull AS required
            FROM pg_attribute
            WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
                AND attidentity = '' AND attgenerated = ''
            ORDER BY attnum
            """,
            table,
        )
        required = {row["name"]: row["type"] for row in columns if row["required"]}
        optional = [{row["name"]: row["type"]} for row in columns if not row["required"]]
        for one in ({}, *optional):
            kinds = {**required, **one}
            values = ", ".join(value_of(kind, tenant) for kind in kinds.values())
            with contextlib.suppress(asyncpg.CheckViolationError):
                async with self.db.transaction():
                    await self.db.execute(
                        f"INSERT INTO {table} ({', '.join(kinds)}) VALUES ({values})"
                    )
                return
        raise AssertionError(f"no row of {table} satisfies its checks")

    @contextlib.asynccontextmanager
    async def acting(self, role: str, tenant: UUID | None = None) -> AsyncIterator[None]:
        """Within the block, undone at its end: that role's rights, for that tenant or for none."""
        inner = self.db.transaction()
        await inner.start()
        try:
            await self.db.execute(f"SET LOCAL ROLE {role_name(self.service, role)}")
            if tenant is not None:
                await self.db.execute(
                    "SELECT set_config($1, $2, true)", TENANT_SETTING, str(tenant)
                )
            yield
        finally:
            await inner.rollback()

    async def owners_of_rows(self, statement: str) -> dict[str, set[UUID]]:
        """By table, the tenants whose rows a statement touches."""
        return {
            table: {row["tenant_id"] for row in await self.db.fetch(statement.format(table=table))}
            for table in self.tables
        }

    async def is_refused(self, statement: str, *values: Any) -> bool:
        """Does row-level security, or a missing right, refuse the statement?"""
        try:
            async with self.db.transaction():
                await self.db.execute(statement, *values)
        except asyncpg.InsufficientPrivilegeError:
            return True
        return False


def value_of(kind: str, tenant: UUID) -> str:
    """Some value of a type, as SQL: different for each tenant where a key could mind."""
    if kind.endswith("[]"):
        return "'{}'"
    return {
        "uuid": f"'{tenant}'",
        "text": f"'{tenant}'",
        "jsonb": "'{}'",
        "boolean": "false",
        "timestamp with time zone": "now()",
        "date": "now()",
    }.get(kind, "1")


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


# ── The second wall: row-level security ──────────────────────────────────────────────────────────


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


async def loose_functions(db: asyncpg.Connection, service: str) -> list[str]:
    """Functions that run with their owner's rights and could be turned against them."""
    rows = await db.fetch("""
        SELECT proname, proconfig, pg_get_userbyid(proowner) AS owner,
            ARRAY(SELECT coalesce(rolname, 'PUBLIC')
                FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
                LEFT JOIN pg_roles ON pg_roles.oid = grantee) AS callers
        FROM pg_proc WHERE prosecdef AND pronamespace NOT IN (
            SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema')
    """)
    _, app, _, search = roles_of(service)
    found = []
    for row in rows:
        name = row["proname"]
        if (service, name) not in LOOKING_BEYOND:
            found.append(f"{name}: not known to look beyond a tenant")
        if row["proconfig"] != ["search_path=pg_catalog, pg_temp"]:
            found.append(f"{name}: its search path is {row['proconfig']}")
        if row["owner"] != search:
            found.append(f"{name}: owned by {row['owner']}")
        if set(row["callers"]) != {app, search}:
            found.append(f"{name}: called by {row['callers']}")
    return found


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


# ── The first wall: the unit of work, tried where the second does not stand ──────────────────────


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
