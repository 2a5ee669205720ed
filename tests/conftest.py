"""Fixtures that every layer shares: PostgreSQL once a run, the whole installation once a worker.

PostgreSQL is taken, in this order, from the environment (`GUICHET_TEST_POSTGRES_URL`, an
administrator's), from a container where a Docker engine answers, or from programs of our own. The
process that starts pytest starts the server, and hands its address to the workers; each worker has
databases of its own by a prefix. RabbitMQ likewise (`GUICHET_TEST_RABBITMQ_URL`), but only once a
test asks for it; exchanges and queues have the worker's prefix.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# Workers inherit the first process's environment: each sets its own.
os.environ["GUICHET_DATABASE_PREFIX"] = f"test_{WORKER}_{os.getpid()}"

from tests.support import rabbitmq  # noqa: E402  # after the prefix is set
from tests.support.apart import Apart, services_apart  # noqa: E402  # after the prefix is set
from tests.support.installation import Running, running  # noqa: E402  # after the prefix is set
from tests.support.on_demand import OnDemand, ask  # noqa: E402  # after the prefix is set
from tests.support.parts import running_apart  # noqa: E402  # after the prefix is set
from tests.support.postgres import ADDRESS, Server, drop_databases, provide  # noqa: E402  # after the prefix is set

# Properties are tried on the same examples each time, however slow the machine: what fails here
# fails for whoever looks into it.
settings.register_profile("guichet", deadline=None, derandomize=True)
settings.load_profile("guichet")

SERVERLESS = ("tests/unit", "tests/simulation")

_server: Server | None = None
_broker: OnDemand | None = None
BROKER_PORT = "GUICHET_TEST_RABBITMQ_ASK"
WAY = "GUICHET_TEST_WAY"
THROWN_AWAY = "GUICHET_TEST_POSTGRES_IS_THROWN_AWAY"


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL in the process that starts the others, unless only rules are tested."""
    global _server, _broker
    if hasattr(config, "workerinput"):
        return
    _broker = OnDemand(rabbitmq.provide)
    os.environ[BROKER_PORT] = str(_broker.port)
    if ADDRESS in os.environ:
        return
    paths = [str(path) for path in config.args]
    if config.option.collectonly or all(any(one in path for one in SERVERLESS) for path in paths):
        return
    _server = provide()
    os.environ[ADDRESS] = _server.url
    os.environ[THROWN_AWAY] = "1"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if _server is not None:
        _server.stop()
    if _broker is not None:
        _broker.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An administrator's URL of a PostgreSQL for this run."""
    url = os.environ[ADDRESS]
    yield url
    if THROWN_AWAY not in os.environ:  # else they go with the server, all at once
        drop_databases(url, os.environ["GUICHET_DATABASE_PREFIX"])


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """A RabbitMQ for this run. Tests keep to names that begin with this worker's prefix."""
    return os.environ.get(rabbitmq.ADDRESS) or ask(int(os.environ[BROKER_PORT]))


@pytest.fixture(scope="session")
def worker_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this worker's own."""
    return tmp_path_factory.mktemp("worker")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked so on the installation of either way, unless one of them is asked for."""
    marked = metafunc.definition.get_closest_marker("both_ways") is not None
    if marked and "layout" in metafunc.fixturenames and WAY not in os.environ:
        # None, as where nothing is chosen: that installation is the other tests' as well.
        embedded = pytest.param(None, id="embedded")
        apart = pytest.param("apart", marks=pytest.mark.xdist_group("apart"))
        metafunc.parametrize("layout", [embedded, apart], indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the second of what is marked to run one way, unless that way is asked for."""
    items[:] = [one for one in items if not (_is_apart(one) and one.get_closest_marker("one_way"))]


def _is_apart(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("layout") == "apart"


@pytest.fixture(scope="session")
def layout(request: pytest.FixtureRequest) -> str:
    """How the installation runs: `embedded`, in one process, or `apart`, in one for each part."""
    return getattr(request, "param", None) or os.environ.get(WAY, "embedded")


@pytest.fixture(scope="session")
async def whole(
    layout: str, request: pytest.FixtureRequest, postgres_url: str, worker_folder: Path
) -> AsyncIterator[Running]:
    """The whole installation with the demo: in this worker's loop, or the Procfile's processes."""
    if layout == "apart":
        broker_url = request.getfixturevalue("rabbitmq_url")
        async with running_apart(postgres_url, broker_url, worker_folder / "parts") as parts:
            yield parts
        return
    async with running(postgres_url, worker_folder) as installation:
        yield installation


@pytest.fixture(scope="session")
async def apart(postgres_url: str, worker_folder: Path) -> AsyncIterator[Apart]:
    """The four services on databases of their own, nothing running, every event carried by hand."""
    async with services_apart(postgres_url, worker_folder) as services:
        yield services
