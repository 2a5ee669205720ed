"""What a process counts: HTTP calls by route template, events published and handled.

Every label is bounded by the code: parts, templates of routes, names of handlers, classes of
answers. No tenant, no path, no person is ever one. Names and units follow Prometheus' conventions
(`promtool check metrics`). `chassis.metrics_port` serves them, and what it looks up meanwhile.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

from chassis.problems import NotYet

disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations

COUNTED = CollectorRegistry(auto_describe=True)
"""Of this process. A process that runs several parts tells them apart by a label."""

ProcessCollector(registry=COUNTED)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"  # no route has this path
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_calls = Counter(
    "guichet_http_requests",
    "HTTP requests answered, by the route's template and the class of the status.",
    ["part", "method", "route", "status"],
    registry=COUNTED,
)
_call_durations = Histogram(
    "guichet_http_request_duration_seconds",
    "From an HTTP request's arrival to the end of its answer.",
    ["part", "route"],
    buckets=QUICK,
    registry=COUNTED,
)
_runs = Counter(
    "guichet_handler_runs",
    "Runs of an event's or timer's handler: ok, waits (for another event) or failed. A batch that"
    " is undone runs again, one by one.",
    ["service", "handler", "outcome"],
    registry=COUNTED,
)
_run_durations = Histogram(
    "guichet_handler_duration_seconds",
    "How long a handler ran, whatever came of it.",
    ["service", "handler"],
    buckets=QUICK,
    registry=COUNTED,
)
_published = Counter(
    "guichet_outbox_published_events",
    "Events that the bus has taken for good.",
    ["service"],
    registry=COUNTED,
)
_publish_failures = Counter(
    "guichet_outbox_publish_failures",
    "Batches whose publishing failed, or whose end is unknown; they are published again.",
    ["service"],
    registry=COUNTED,
)
_publish_durations = Histogram(
    "guichet_outbox_publish_duration_seconds",
    "From the claim of a batch of events to its confirmation by the bus.",
    ["service"],
    buckets=QUICK,
    registry=COUNTED,
)


def count_call(part: str, method: str, route: str, status: int, took_s: float) -> None:
    """An HTTP request was answered, or broken off before (0). `route` is never a path: a template
    of the code's own, or empty.
    """
    known = method if method in METHODS else "other"
    route = route or NO_ROUTE
    _calls.labels(part, known, route, f"{status // 100}xx" if status else "none").inc()
    _call_durations.labels(part, route).observe(took_s)


@contextmanager
def handler_run(service: str, handler: str) -> Iterator[None]:
    """Within, a handler that the service has runs."""
    started, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "ok"
    except NotYet:
        outcome = "waits"
        raise
    finally:
        _runs.labels(service, handler, outcome).inc()
        _run_durations.labels(service, handler).observe(time.perf_counter() - started)


@contextmanager
def publishing(service: str, count: int) -> Iterator[None]:
    """Within, a batch of so many events is handed to the bus."""
    started = time.perf_counter()
    try:
        yield
    except BaseException:
        _publish_failures.labels(service).inc()
        raise
    _published.labels(service).inc(count)
    _publish_durations.labels(service).observe(time.perf_counter() - started)
