"""Spans as lines of JSON in a file: a trace without anything to collect it.

Each process appends whole lines, so several may share the file. A line holds names, ids, times and
the attributes that our own code sets; nothing of an exception but its kind.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import format_span_id, format_trace_id


class FileExporter(SpanExporter):
    """Appends to this file, which only its owner reads."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """A line a span, all in one write."""
        lines = "".join(f"{json.dumps(line(span), ensure_ascii=False)}\n" for span in spans)
        try:
            os.write(self._file, lines.encode())
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        os.close(self._file)


def line(span: ReadableSpan) -> dict[str, Any]:
    """What is written of a span."""
    assert span.start_time is not None
    assert span.end_time is not None
    return {
        "trace": format_trace_id(span.context.trace_id),
        "span": format_span_id(span.context.span_id),
        "parent": format_span_id(span.parent.span_id) if span.parent else None,
        "name": span.name,
        "part": span.resource.attributes.get("service.name"),
        "started_ns": span.start_time,
        "took_ms": round((span.end_time - span.start_time) / 1e6, 3),
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
    }
