"""What a benchmark runs on: a PostgreSQL, the parcels service's database, and pgbench as its peer.

The server is the one that `GUICHET_TEST_POSTGRES_URL` names, else one started for the run.
"""

import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis.database.migrate import migrate, with_database
from chassis.database.roles import database_name, role_name
from chassis.keys import Keys
from chassis.service import Service
from chassis.work import Database
from guichet.passwords import database_of, passwords_of, signed_in
from guichet.postgres.binaries import find_binaries
from tests.benchmarks.rounds import Meter, Round, told_by
from tests.support.postgres import ADDRESS, drop_databases, provide

CLIENTS = 8


@dataclass(frozen=True)
class Ground:
    """A server with a service's database on it, made new."""

    url: str
    service: Service
    keys: Keys
    database: Database
    folder: Path

    def signed_in(self, role: str) -> str:
        """The database's URL for one of the service's roles: app or mover."""
        name = self.service.name
        inside = with_database(self.url, database_name(name))
        return signed_in(inside, role_name(name, role), passwords_of(self.keys, name)[role])

    async def pgbench(
        self, script: str, *, role: str, count: int, clients: int = CLIENTS, **given: object
    ) -> Round:
        """So many transactions of a script, shared among the clients. Raises LookupError.

        Its statements are prepared, as ours are. Its own time is taken, which leaves out the
        connecting.
        """
        path = self.folder / "script.sql"
        path.write_text(script)
        names = [part for name, value in given.items() for part in ("-D", f"{name}={value}")]
        meter = Meter(children=True)
        command = [str(pgbench_program()), "--no-vacuum", "-M", "prepared", "-f", str(path), *names]
        sizes = ["-c", str(clients), "-j", "1", "-t", str(count // clients)]
        said = await told_by(*command, *sizes, self.signed_in(role))
        done = re.search(r"actually processed: (\d+)", said)
        rate = re.search(r"tps = ([\d.]+)", said)
        assert done, said
        assert rate, said
        return meter.read(int(done[1]), int(done[1]) / float(rate[1]))


def pgbench_program() -> Path:
    """Where it is: beside the server's own programs, else the machine's. Raises LookupError."""
    beside = find_binaries().program("pgbench")
    if beside.exists():
        return beside
    if found := shutil.which("pgbench"):
        return Path(found)
    raise LookupError("install it: sudo apt-get install postgresql-contrib")


@asynccontextmanager
async def on_ground(service: Service) -> AsyncIterator[Ground]:
    """A service's database, new, on a server; dropped at the end."""
    server = None if ADDRESS in os.environ else provide()
    url = os.environ[ADDRESS] if server is None else server.url
    try:
        with tempfile.TemporaryDirectory() as folder:
            keys = Keys(Path(folder) / "keys")
            await migrate(url, service.schema, passwords_of(keys, service.name))
            database = database_of(keys, url, service.name)
            try:
                yield Ground(url, service, keys, database, Path(folder))
            finally:
                await database.close()
    finally:
        if server is None:
            drop_databases(url, os.environ["GUICHET_DATABASE_PREFIX"])
        else:
            server.stop()
