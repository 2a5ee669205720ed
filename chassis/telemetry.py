"""Traces: OpenTelemetry spans from the click through outbox, bus and inbox to the mail.

Exported to a file or by OTLP where the settings say so; a test hands in an exporter of its own.
A span's attributes are ids, counts and names of our own; an exception is told by its kind alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes

from chassis.trace_file import FileExporter

_propagator = TraceContextTextMapPropagator()
_provider: TracerProvider | None = None
_exports = False

EXPORT_EVERY_MS = 1000
EXPORT_WITHIN_S = 5


def configure(exporter: SpanExporter | None = None, *, part: str = "guichet") -> None:
    """Start tracing in this process, which runs that part; called again, adds the exporter."""
    global _exports
    provider = _started(part)
    if exporter is not None:
        _exports = True
        provider.add_span_processor(SimpleSpanProcessor(exporter))


def export_to(traces: str | None, *, part: str = "guichet") -> None:
    """Start tracing, and export as the setting says: nowhere, to an OTLP endpoint's URL, or to a
    file. Batches leave by a thread of their own, the last at the process's end. Raises OSError.
    """
    global _exports
    provider = _started(part)
    if traces is None:
        return
    exporter: SpanExporter
    if traces.startswith(("http://", "https://")):
        # Here, since it takes as long to load as all the rest, and few want it.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=traces, timeout=EXPORT_WITHIN_S)
    else:
        exporter = FileExporter(Path(traces))
    _exports = True
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MS))


def _started(part: str) -> TracerProvider:
    global _provider
    if _provider is None:
        resource = Resource.create({"service.name": part})
        _provider = TracerProvider(sampler=WhereExported(), resource=resource)
        trace.set_tracer_provider(_provider)
    return _provider


class WhereExported(Sampler):
    """Every span is kept where spans are exported. Elsewhere they are ids, which logs and events
    carry on, and cost little more."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """As it stands when the span begins."""
        decision = Decision.RECORD_AND_SAMPLE if _exports else Decision.DROP
        return SamplingResult(decision, attributes if _exports else None, trace_state)

    def get_description(self) -> str:
        """What the SDK calls it."""
        return "WhereExported"


@contextmanager
def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, parent: str | None = None, **fields: Any
) -> Iterator[Span]:
    """A span under the current one or, where given, under the `traceparent` of elsewhere."""
    context = _propagator.extract({"traceparent": parent}) if parent else None
    with trace.get_tracer("guichet").start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=fields,
        record_exception=False,  # its words may hold a person's data
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@contextmanager
def spans_under(
    parents: Sequence[str | None], names: Sequence[str], kind: SpanKind
) -> Iterator[Sequence[str | None]]:
    """While the block runs, a span under each of these traceparents; answers their own.

    Where nothing is exported there are none, and the parents are answered: a batch of hundreds
    would pay for what nobody sees.
    """
    if not _exports:
        yield parents
        return
    tracer = trace.get_tracer("guichet")
    opened = [
        tracer.start_span(
            name, context=_propagator.extract({"traceparent": parent} if parent else {}), kind=kind
        )
        for name, parent in zip(names, parents, strict=True)
    ]
    try:
        yield [_traceparent_of(one) for one in opened]
    except BaseException as error:
        for one in opened:
            one.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        for one in opened:
            one.end()


def traceparent() -> str | None:
    """The current span as a W3C `traceparent`, or None outside any."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def _traceparent_of(span: Span) -> str | None:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, context=trace.set_span_in_context(span))
    return carrier.get("traceparent")
