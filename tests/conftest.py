"""Fixtures that every layer shares: PostgreSQL once a run, the whole installation once a worker.

PostgreSQL is taken, in this order, from the environment (`GUICHET_TEST_POSTGRES_URL`, an
administrator's), from a container where a Docker engine answers, or from programs of our own. The
process that starts pytest starts the server, and hands its address to the workers; each worker has
databases of its own by a prefix.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# Workers inherit the first process's environment: each sets its own.
os.environ["GUICHET_DATABASE_PREFIX"] = f"test_{WORKER}_{os.getpid()}"

from tests.support.apart import Apart, services_apart  # noqa: E402  # after the prefix is set
from tests.support.installation import Running, running  # noqa: E402  # after the prefix is set
from tests.support.postgres import ADDRESS, Server, drop_databases, provide  # noqa: E402  # after the prefix is set

# Properties are tried on the same examples each time, however slow the machine: what fails here
# fails for whoever looks into it.
settings.register_profile("guichet", deadline=None, derandomize=True)
settings.load_profile("guichet")

_server: Server | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL in the process that starts the others, unless only rules are tested."""
    global _server
    if hasattr(config, "workerinput") or ADDRESS in os.environ:
        return
    paths = [str(path) for path in config.args]
    if config.option.collectonly or all("tests/unit" in path for path in paths):
        return
    _server = provide()
    os.environ[ADDRESS] = _server.url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if _server is not None:
        _server.stop()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An administrator's URL of a PostgreSQL for this run."""
    url = os.environ[ADDRESS]
    yield url
    drop_databases(url, os.environ["GUICHET_DATABASE_PREFIX"])


@pytest.fixture(scope="session")
def worker_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this worker's own."""
    return tmp_path_factory.mktemp("worker")


@pytest.fixture(scope="session")
async def whole(postgres_url: str, worker_folder: Path) -> AsyncIterator[Running]:
    """The whole installation with the demo, running in this worker's loop."""
    async with running(postgres_url, worker_folder) as installation:
        yield installation


@pytest.fixture(scope="session")
async def apart(postgres_url: str, worker_folder: Path) -> AsyncIterator[Apart]:
    """The four services on databases of their own, nothing running, every event carried by hand."""
    async with services_apart(postgres_url, worker_folder) as services:
        yield services
