"""A database in which every table holds a row of each of two tenants, for a while."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg

from chassis.database.connection import TENANT_SETTING
from chassis.database.roles import role_name
from chassis.ids import new_id
from tests.support.walls import tables


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
