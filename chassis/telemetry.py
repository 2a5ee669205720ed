"""Traces: OpenTelemetry spans from the click through outbox and inbox to the mail.

Outside tests nothing is exported yet; a test hands in its own exporter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
_provider: TracerProvider | None = None


def configure(exporter: SpanExporter | None = None) -> None:
    """Start tracing in this process; called again, adds the exporter."""
    global _provider
    if _provider is None:
        _provider = TracerProvider()
        trace.set_tracer_provider(_provider)
    if exporter is not None:
        _provider.add_span_processor(SimpleSpanProcessor(exporter))


@contextmanager
def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, parent: str | None = None, **fields: Any
) -> Iterator[Span]:
    """A span under the current one or, where given, under the `traceparent` of elsewhere."""
    context = _propagator.extract({"traceparent": parent}) if parent else None
    with trace.get_tracer("guichet").start_as_current_span(
        name, context=context, kind=kind, attributes=fields
    ) as opened:
        yield opened


def traceparent() -> str | None:
    """The current span as a W3C `traceparent`, or None outside any."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")
