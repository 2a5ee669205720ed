"""Where spans go, each in a process of its own: tracing is set up once a process."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROGRAM = """
import sys
from opentelemetry.trace import SpanKind
from chassis import telemetry

telemetry.export_to(sys.argv[1] or None, part="requests")
with telemetry.span("outer", count=2):
    parent = telemetry.traceparent()
with telemetry.spans_under([parent], ["publish x"], SpanKind.PRODUCER) as own:
    print(own == [parent])
try:
    with telemetry.span("failed"):
        raise ValueError("mairie@ville.example")
except ValueError:
    pass
"""


def exported(traces: object) -> str:
    """Have a process trace, and export so. Answers what it said."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(traces)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


class Collector(BaseHTTPRequestHandler):
    """Takes what an OTLP exporter sends."""

    received: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        """Keep it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[str]:
    """The address of a collector."""
    Collector.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces"
    server.shutdown()
    server.server_close()


def test_spans_are_lines_of_a_file_which_several_processes_share(tmp_path: Path) -> None:
    file = tmp_path / "traces"
    assert [exported(file), exported(file)] == ["False", "False"]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [one["name"] for one in lines] == ["outer", "publish x", "failed"] * 2
    outer, published, failed = lines[:3]
    assert (published["trace"], published["parent"]) == (outer["trace"], outer["span"])
    assert (outer["part"], outer["attributes"]) == ("requests", {"count": 2})
    assert failed["status"] == "ERROR"
    assert "mairie" not in file.read_text()


def test_spans_go_to_a_collector_by_otlp(collector: str) -> None:
    assert exported(collector) == "False"
    [(path, body)] = Collector.received
    assert path == "/v1/traces"
    for word in (b"outer", b"publish x", b"failed", b"requests", b"ValueError"):
        assert word in body
    assert b"mairie" not in body


def test_a_batch_has_no_spans_of_its_own_where_nothing_is_exported() -> None:
    assert exported("") == "True"
