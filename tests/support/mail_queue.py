"""A notifier's database of its own with a queue of any length, and delivery as processes on it."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from uuid import UUID

from sqlalchemy import text

from chassis.database import roles
from chassis.database.migrate import migrate
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.work import Database
from guichet.passwords import database_of, passwords_of
from services.notifier.service import service
from tests.builders.notifier import a_tenant
from tests.support.names import names_apart

ROOT = Path(__file__).parents[2]

TENANT = text("""
    INSERT INTO tenant_projections (tenant_id, state, facts)
    VALUES (:tenant, 'active', CAST(:facts AS jsonb))
""")

FILL = text("""
    INSERT INTO mails (tenant_id, id, event_id, template, facts, address, language, concerned,
        about, priority, requested_at, drop_after, state, due_at, attempts, doubts, version)
    SELECT :tenant, gen_random_uuid(), gen_random_uuid(), 'password_changed',
        jsonb_build_object('username', 'saint-amand', 'changed_at', now()),
        'town' || number || '@town.example', 'fr', '{}', '{}', :priority, now(),
        now() + interval '7 days', 'queued', now(), 0, 0, 0
    FROM generate_series(1, :count) AS number
""")


@dataclass
class MailQueue:
    """The database, and what waits in it."""

    database: Database
    keys: Keys
    server_url: str
    prefix: str
    tenants: list[UUID] = field(default_factory=list)

    async def fill(self, count: int, *, tenants: int = 1, priority: int = 2) -> None:
        """Queue so many mails, shared among so many further tenants."""
        async with self.database.mover.begin() as connection:
            await connection.exec_driver_sql("SET LOCAL statement_timeout = '300s'")
            for _ in range(tenants):
                tenant = new_id()
                self.tenants.append(tenant)
                facts = a_tenant(tenant, slug=f"t{tenant.hex[-12:]}").model_dump_json()
                await connection.execute(TENANT, {"tenant": tenant, "facts": facts})
                given = {"tenant": tenant, "priority": priority, "count": count // tenants}
                await connection.execute(FILL, given)

    async def states(self) -> dict[str, int]:
        """How many mails are in each state."""
        async with self.database.mover.connect() as connection:
            found = await connection.execute(
                text("SELECT state, count(*)::int FROM mails GROUP BY state")
            )
            return {row[0]: row[1] for row in found}

    async def count(self, sql: str) -> int:
        """What a counting statement gives."""
        async with self.database.mover.connect() as connection:
            return int((await connection.execute(text(sql))).scalar_one())

    def workers(self, relay_port: int, *, lease_s: float = 30.0) -> "Workers":
        """What starts delivery processes on this queue."""
        return Workers(self, relay_port, lease_s)


class Workers:
    """Delivery processes, forked from one that has read all the code."""

    def __init__(self, queue: MailQueue, relay_port: int, lease_s: float) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.support.delivery_workers",
                queue.server_url, str(queue.keys.folder), str(relay_port), str(lease_s),
            ],
            cwd=ROOT,
            env={**os.environ, "GUICHET_DATABASE_PREFIX": queue.prefix},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self._line() == "ready"

    def start(self) -> int:
        """One more. Answers its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._line())

    def close(self) -> list[float]:
        """End them all. Answers the CPU seconds of those that ended by themselves."""
        _, told = self._process.communicate(timeout=30)
        return [float(line.split()[1]) for line in told.splitlines() if line.startswith("cpu ")]

    def _line(self) -> str:
        out: IO[str] | None = self._process.stdout
        assert out is not None
        line = out.readline()
        assert line, "the workers' process ended"
        return line.strip()


@asynccontextmanager
async def mail_queue(server_url: str, folder: Path, suffix: str) -> AsyncIterator[MailQueue]:
    """An empty queue, beside the databases of others."""
    keys = Keys(folder / f"keys-{suffix}")
    with names_apart(suffix):
        await migrate(server_url, service.schema, passwords_of(keys, "notifier"))
        database = database_of(keys, server_url, "notifier")
        prefix = roles.PREFIX
    try:
        yield MailQueue(database, keys, server_url, prefix)
    finally:
        await database.close()
