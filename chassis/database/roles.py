"""A service's four roles, none a superuser, and the policies that hold each to its rows.

*owner* migrates, *app* sees its tenant only, *mover* sees every tenant's outbox, inbox and other
queues (publisher, claimers, delivery) and may act as *app* for one transaction, *search* reads all
and owns the functions that look beyond a tenant.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Connection, Table, inspect

from chassis.database.connection import TENANT_SETTING
from chassis.database.tables import TENANTLESS, metadata
from chassis.settings import Naming

PREFIX = Naming().database_prefix
"""Begins the names of databases and roles: two installations can share a server."""

MOVED = ("outbox", "inbox", "inbox_seen", "ended", "tenant_projections", "operator_acts")
"""The chassis' tables that the mover sees whole."""


class Operations(Protocol):
    """What is used of `alembic.op`, which is a module."""

    def execute(self, sqltext: str, /) -> Any:
        """Run a statement."""

    def get_bind(self) -> Connection:
        """The connection that the migration runs on."""


def database_name(service: str) -> str:
    """The database of a service."""
    return f"{PREFIX}_{service}"


def role_name(service: str, role: str) -> str:
    """The role of a service, such as `guichet_requests_app`."""
    return f"{PREFIX}_{service}_{role}"


def derived_password(secret: bytes, role: str) -> str:
    """The password of a role where the installation makes its own: an HMAC of its name."""
    return hmac.new(secret, f"postgres {role}".encode(), hashlib.sha256).hexdigest()


async def ensure_roles_and_database(
    admin: asyncpg.Connection, service: str, passwords: dict[str, str]
) -> None:
    """Make the service's roles and database, or bring them to what they should be.

    `passwords` are those of the roles that sign in, by role: `app` and `mover`.
    """
    for role in ("owner", "app", "mover", "search"):
        name = role_name(service, role)
        known = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        verb = "ALTER" if known else "CREATE"
        login = f"LOGIN PASSWORD '{passwords[role]}'" if role in passwords else "NOLOGIN"
        limits = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION"
        await admin.execute(
            f"{verb} ROLE {name} {login} {limits} {'NOINHERIT' if role == 'mover' else 'INHERIT'}"
        )
    owner, app, mover, search = (
        role_name(service, role) for role in ("owner", "app", "mover", "search")
    )
    await admin.execute(f"GRANT {app} TO {mover}")
    await admin.execute(f"GRANT {owner}, {search} TO CURRENT_USER")
    await admin.execute(f"GRANT {search} TO {owner}")  # so that it can hand functions over
    database = database_name(service)
    if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
        await admin.execute(
            f"CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8'"
        )
    await admin.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await admin.execute(f"GRANT CONNECT ON DATABASE {database} TO {app}, {mover}")


async def prepare_schema(admin: asyncpg.Connection, service: str) -> None:
    """In the service's own database: its owner owns the schema, the others may use it."""
    owner, app, mover, search = (
        role_name(service, role) for role in ("owner", "app", "mover", "search")
    )
    await admin.execute(f"ALTER SCHEMA public OWNER TO {owner}")
    await admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    await admin.execute(f"GRANT USAGE ON SCHEMA public TO {app}, {mover}")
    await admin.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {search}")


def protect(op: Operations, service: str, *tables: str, moved: Iterable[str] = ()) -> None:
    """Put tables of tenant data behind row-level security and grant what each role needs.

    `moved` names those among them that the mover sees whole, such as a queue of mails.
    """
    owner, app, mover, search = (
        role_name(service, role) for role in ("owner", "app", "mover", "search")
    )
    own = f"tenant_id = nullif(current_setting('{TENANT_SETTING}', true), '')::uuid"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY owner_all ON {table} TO {owner} USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY app_own ON {table} TO {app} USING ({own}) WITH CHECK ({own})")
        op.execute(f"CREATE POLICY search_all ON {table} FOR SELECT TO {search} USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {app}")
        op.execute(f"GRANT SELECT ON {table} TO {search}")
        if table in moved:
            op.execute(
                f"CREATE POLICY mover_all ON {table} TO {mover} USING (true) WITH CHECK (true)"
            )
            op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {mover}")


def add_chassis_table(op: Operations, service: str, table: Table) -> None:
    """A table that the chassis came to later, where the first migration did not make it yet."""
    if inspect(op.get_bind()).has_table(table.name):
        return
    table.create(op.get_bind())
    protect(op, service, table.name, moved=MOVED)


def create_chassis_tables(op: Operations, service: str) -> None:
    """Outbox, inbox and what belongs to them, in a service's first migration."""
    mover, app = role_name(service, "mover"), role_name(service, "app")
    metadata.create_all(op.get_bind())
    protect(op, service, *(set(metadata.tables) - TENANTLESS), moved=MOVED)
    for table in TENANTLESS:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {mover}")
    op.execute(f"GRANT SELECT ON epochs TO {app}")
    op.execute("INSERT INTO epochs (epoch) VALUES (1)")
