"""The port where a process tells its metrics, in the text format of Prometheus, and nothing else.

Beside what `chassis.metrics` counted, gauges are looked up when the port is read: what waits in
the databases of the parts that run here, and their pools. A database that is away costs its own
gauges alone, and says so by `guichet_database_up`.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.depths import MOST, Depths, Waiting
from chassis.metrics import COUNTED

if TYPE_CHECKING:
    from chassis.runtime import Runtime

log = structlog.get_logger()

STOP_WITHIN_S = 3


@contextlib.asynccontextmanager
async def serving_metrics(
    listener: socket.socket, runtimes: Sequence["Runtime"]
) -> AsyncIterator[None]:
    """Within, `GET /metrics` answers on that socket for the services that run here."""
    server = _Server(
        uvicorn.Config(
            metrics_app(runtimes),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="metrics")
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


def metrics_app(runtimes: Sequence["Runtime"]) -> Starlette:
    """What answers at that port."""

    async def metrics(_http: Request) -> Response:
        found = await asyncio.gather(*(_depths(runtime) for runtime in runtimes))
        gauges = CollectorRegistry()
        gauges.register(_Gauges(list(zip(runtimes, found, strict=True))))
        return Response(
            generate_latest(COUNTED) + generate_latest(gauges), media_type=CONTENT_TYPE_LATEST
        )

    return Starlette(routes=[Route("/metrics", metrics)])


async def _depths(runtime: "Runtime") -> Depths | None:
    try:
        return await runtime.depth.look()
    except Exception as error:
        log.warning("depths_unknown", service=runtime.service.name, error=type(error).__name__)
        return None


class _Gauges:
    """What was looked up for one reading."""

    def __init__(self, found: list[tuple["Runtime", Depths | None]]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """All gauges, each with a sample for each service."""
        yield from self._databases()
        yield from self._waiting()

    def _databases(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "guichet_database_up",
            "Did the service's database answer when this was read?",
            labels=["service"],
        )
        connections = GaugeMetricFamily(
            "guichet_database_connections",
            "Connections of the service's pools, in use or idle.",
            labels=["service", "pool", "state"],
        )
        most = GaugeMetricFamily(
            "guichet_database_pool_connections",
            "How many connections the pool opens at most.",
            labels=["service", "pool"],
        )
        for runtime, depths in self._found:
            name, database = runtime.service.name, runtime.database
            up.add_metric([name], depths is not None)
            for pool_name, engine in (("app", database.app), ("mover", database.mover)):
                pool = engine.pool
                assert isinstance(pool, QueuePool)
                connections.add_metric([name, pool_name, "used"], pool.checkedout())
                connections.add_metric([name, pool_name, "idle"], pool.checkedin())
                most.add_metric([name, pool_name], pool.size())
        yield from (up, connections, most)

    def _waiting(self) -> Iterator[Metric]:
        outbox = _Pair("guichet_outbox", "events", "Events that the bus has not taken yet")
        inbox = GaugeMetricFamily(
            "guichet_inbox_events",
            f"Events and timers by state; counted up to {MOST}. Timers that are not due are none.",
            labels=["service", "state"],
        )
        inbox_age = GaugeMetricFamily(
            "guichet_inbox_oldest_wait_seconds",
            "For how long the first that is due has waited to be handled.",
            labels=["service"],
        )
        queues = _Pair("guichet_queue", "items", "What waits in a queue of the service's", "queue")
        for runtime, depths in self._found:
            if depths is None:
                continue
            name = runtime.service.name
            outbox.add([name], depths.outbox, depths)
            for state in ("ready", "retrying", "awaiting", "dead"):
                size = depths.inbox.size if state == "ready" else getattr(depths, state)
                inbox.add_metric([name, state], size)
            inbox_age.add_metric([name], depths.inbox.age_s(depths.looked_at))
            for queue, waiting in depths.queues.items():
                queues.add([name, queue], waiting, depths)
        yield from (*outbox.both(), inbox, inbox_age, *queues.both())


class _Pair:
    """The two gauges of what waits: how many, and for how long the first."""

    def __init__(self, prefix: str, items: str, what: str, *labels: str) -> None:
        names = ["service", *labels]
        self._size = GaugeMetricFamily(
            f"{prefix}_{items}", f"{what}; counted up to {MOST}.", labels=names
        )
        self._age = GaugeMetricFamily(
            f"{prefix}_oldest_wait_seconds", f"{what}: for how long the first waits.", labels=names
        )

    def add(self, labels: list[str], waiting: Waiting, depths: Depths) -> None:
        """A sample of each."""
        self._size.add_metric(labels, waiting.size)
        self._age.add_metric(labels, waiting.age_s(depths.looked_at))

    def both(self) -> tuple[Metric, Metric]:
        """The two."""
        return self._size, self._age


class _Server(uvicorn.Server):
    """Without uvicorn's signal handling: the process that we run in has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
