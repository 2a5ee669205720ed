"""Bringing a service's database to what its code expects: roles, database, Alembic's steps.

An administrator's URL is needed only here; the services themselves sign in as *app* and *mover*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.database.roles import (
    database_name,
    ensure_roles_and_database,
    prepare_schema,
    role_name,
)
from chassis.database.tables import metadata as chassis_metadata

ALEMBIC = Path(__file__).parent / "alembic"


@dataclass(frozen=True)
class Schema:
    """What a service's database is made of: its tables and the folder of its migrations."""

    service: str
    metadata: MetaData
    migrations: Path

    @property
    def targets(self) -> Sequence[MetaData]:
        """The metadata that the database is held against."""
        return (chassis_metadata, self.metadata)


def with_database(url: str, database: str) -> str:
    """The same server's URL, for another of its databases."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def migrate(admin_url: str, schema: Schema, passwords: dict[str, str]) -> list[str]:
    """Make or update the service's database. Answers the steps that were run, in order."""
    service = schema.service
    admin = await asyncpg.connect(admin_url, timeout=10)
    try:
        await ensure_roles_and_database(admin, service, passwords)
    finally:
        await admin.close()
    own_url = with_database(admin_url, database_name(service))
    inside = await asyncpg.connect(own_url, timeout=10)
    try:
        await prepare_schema(inside, service)
    finally:
        await inside.close()
    steps: list[str] = await run_as_owner(own_url, schema, _upgrade)
    return steps


async def differences(admin_url: str, schema: Schema) -> list[Any]:
    """What Alembic finds different between the migrated database and the tables in code."""
    own_url = with_database(admin_url, database_name(schema.service))

    def compare(connection: Connection, schema: Schema) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, schema.targets))  # type: ignore[arg-type]  # takes several

    found: list[Any] = await run_as_owner(own_url, schema, compare)
    return found


async def run_as_owner(own_url: str, schema: Schema, work: Any) -> Any:
    """Run `work(connection, schema)` as the owner of the service's database, in a transaction."""
    engine = create_async_engine(
        own_url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SET ROLE {role_name(schema.service, 'owner')}"))
            return await connection.run_sync(work, schema)
    finally:
        await engine.dispose()


def alembic_config(connection: Connection | None, schema: Schema) -> Config:
    """Alembic's configuration for one service, without a file."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    config.set_main_option("version_locations", str(schema.migrations))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(slug)s")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = schema.targets
    return config


def _upgrade(connection: Connection, schema: Schema) -> list[str]:
    before = set(MigrationContext.configure(connection).get_current_heads())
    command.upgrade(alembic_config(connection, schema), "head")
    after = MigrationContext.configure(connection).get_current_heads()
    return [head for head in after if head not in before]
