"""PostgreSQL for the tests: a container where an engine answers, else programs of our own."""

import asyncio
import http.client
import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

ADDRESS = "GUICHET_TEST_POSTGRES_URL"
CONNECTIONS = 400  # workers, each with the whole installation and with services beside it
DOCKER_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True)
class Server:
    """A running server: an administrator's URL, and how it ends."""

    url: str
    stop: Callable[[], None]


class EngineConnection(http.client.HTTPConnection):
    """HTTP to the Docker engine over its socket."""

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(2)
        self.sock.connect(str(DOCKER_SOCKET))


def engine_answers() -> bool:
    """Does a Docker engine answer `/_ping` here?"""
    if not DOCKER_SOCKET.exists():
        return False
    try:
        connection = EngineConnection("localhost", timeout=2)
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except OSError:
        return False


def provide() -> Server:
    """A server for this run."""
    return _container() if engine_answers() else _embedded()


def _container() -> Server:
    from testcontainers.postgres import PostgresContainer  # only where an engine answers

    container = PostgresContainer("postgres:17-alpine", driver=None)
    container = container.with_command(f"-c max_connections={CONNECTIONS}").start()
    return Server(container.get_connection_url(), container.stop)


def _embedded() -> Server:
    from guichet.postgres import launcher  # the programs come with the requirements

    launcher.SETTINGS["max_connections"] = str(CONNECTIONS)
    folder = tempfile.TemporaryDirectory(prefix="guichet-test-", ignore_cleanup_errors=True)
    Path(folder.name).chmod(0o711)
    server = launcher.start(Path(folder.name) / "data", say=lambda _line: None)

    def stop() -> None:
        launcher.stop(server)
        folder.cleanup()

    return Server(server.url("postgres", server.admin_user, server.admin_password), stop)


def drop_databases(url: str, prefix: str) -> None:
    """Drop what one worker made: databases and roles whose names begin with its prefix."""

    async def drop() -> None:
        admin = await asyncpg.connect(url, timeout=10)
        try:
            for row in await admin.fetch(
                "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", f"{prefix}_"
            ):
                await admin.execute(f'DROP DATABASE "{row[0]}" WITH (FORCE)')
            for row in await admin.fetch(
                "SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", f"{prefix}_"
            ):
                await admin.execute(f'DROP ROLE "{row[0]}"')
        finally:
            await admin.close()

    asyncio.run(drop())


def prefix() -> str:
    """What this worker's databases and roles begin with."""
    return os.environ["GUICHET_DATABASE_PREFIX"]
