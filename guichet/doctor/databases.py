"""Does each service's database answer us, and is it what this version expects?"""

from collections.abc import Sequence
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import text

from chassis.database.connection import CONNECT_TIMEOUT_S
from chassis.database.roles import role_name
from chassis.work import Database
from guichet.doctor.finding import Finding, Place
from guichet.parts import SERVICES

CHECK = "database"
OLDEST = 150_000
"""PostgreSQL 15, as `server_version_num` says it."""
ROLES = ("owner", "app", "mover", "search")

COLUMNS = text("""
    SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
""")

MIGRATE = "`guichet migrate`"


async def look_at(place: Place, database: Database) -> Sequence[Finding]:
    """What is wrong with this one, if anything."""
    where = urlsplit(database.mover_url)
    server = f"{where.hostname}:{where.port or 5432}"
    name = where.path.lstrip("/")
    how = f"{MIGRATE} with GUICHET_POSTGRES_ADMIN_URL" if place.apart else f"a start or {MIGRATE}"
    try:
        for engine in (database.app, database.mover):
            url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
            await connection.close(timeout=CONNECT_TIMEOUT_S)
        return await _inside(database, name, how)
    except asyncpg.InvalidCatalogNameError:
        return [_finding(f"The database {name} is not on {server}.", f"Make it by {how}.")]
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        role = role_name(database.service, "app or mover")
        return [
            _finding(
                f"{server} refuses the role {role} ({error.sqlstate}): it lacks there, or has"
                " another password.",
                f"See that data_dir's keys/postgres.secret is the installation's; then {how} makes"
                " roles and passwords right.",
            )
        ]
    except asyncpg.TooManyConnectionsError:
        return [
            _finding(
                f"{server} has no connection left for {name}.",
                "Raise its max_connections, or run fewer processes.",
            )
        ]
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [
            _finding(
                f"PostgreSQL does not answer for {database.service} on {server}"
                f" ({type(error).__name__}).",
                "Start it, let this machine through to it, or correct GUICHET_POSTGRES_URL.",
            )
        ]


async def _inside(database: Database, name: str, how: str) -> Sequence[Finding]:
    service = SERVICES[database.service]
    async with database.mover.connect() as connection:
        version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one())
        if version < OLDEST:
            return [
                _finding(
                    f"The server of {name} is PostgreSQL {version // 10_000}, which is too old.",
                    f"Move it to PostgreSQL {OLDEST // 10_000} or newer.",
                )
            ]
        names = {role: role_name(database.service, role) for role in ROLES}
        known = await connection.execute(
            text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"),
            {"names": list(names.values())},
        )
        found = set(known.scalars())
        missing = [one for one in names.values() if one not in found]
        if missing:
            return [_finding(f"The role {missing[0]} is missing.", f"Have it made by {how}.")]
        there = {(row.relname, row.attname) for row in await connection.execute(COLUMNS)}
    lacking = sorted(
        f"{table.name}.{column.name}"
        for metadata in service.schema.targets
        for table in metadata.tables.values()
        for column in table.columns
        if (table.name, column.name) not in there
    )
    if lacking:
        return [
            _finding(
                f"The database {name} is not migrated to this version: it lacks {lacking[0]}"
                + (f" and {len(lacking) - 1} more." if len(lacking) > 1 else "."),
                f"Bring it up to date by {how}.",
            )
        ]
    return []


def _finding(cause: str, remedy: str) -> Finding:
    return Finding(CHECK, cause, remedy)
