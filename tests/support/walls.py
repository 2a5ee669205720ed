"""What PostgreSQL's own catalogue tells of tenancy's second wall: each gap in it, as a line.

Tables, functions and roles are found, so that a new one is looked at without being named here.
"""

import asyncpg

from chassis.database.connection import TENANT_SETTING
from chassis.database.roles import MOVED, role_name
from chassis.database.tables import TENANTLESS

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
