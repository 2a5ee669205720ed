"""Log lines: an event with fields, each line by itself, whoever speaks."""

import json
import subprocess
import sys

SPEAK = """
import logging, structlog
from opentelemetry import trace
from chassis import logs, telemetry

logs.configure("json", "INFO")
telemetry.configure()
log = structlog.get_logger()
log.info("before", count=1)
with structlog.contextvars.bound_contextvars(tenant="t", http_id="h"), telemetry.span("one"):
    log.warning("within", name="Zoë", odd="a\\nb")
    print(trace.format_trace_id(trace.get_current_span().get_span_context().trace_id))
logging.getLogger("a.library").warning("it says %s", "this")
log.debug("unheard")
logging.getLogger("a.library").debug("unheard")
logging.getLogger("alembic.runtime").info("unheard")
try:
    raise RuntimeError("what happened")
except RuntimeError:
    log.exception("failed")
"""


def spoken() -> tuple[list[dict[str, object]], str]:
    """The lines of a process of its own (logging is set up for the whole of one), and its trace."""
    ended = subprocess.run(
        [sys.executable, "-c", SPEAK], capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in ended.stderr.splitlines()], ended.stdout.strip()


def test_a_line_is_an_event_with_fields() -> None:
    lines, trace_id = spoken()
    told = {str(line["event"]): line for line in lines}
    assert list(told) == ["before", "within", "it says this", "failed"]
    assert told["before"]["count"] == 1
    assert all(str(line["timestamp"]).endswith("Z") for line in lines)
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error"]
    within = told["within"]
    assert (within["tenant"], within["http_id"]) == ("t", "h")
    assert (within["name"], within["odd"]) == ("Zoë", "a\nb")
    assert within["trace_id"] == trace_id
    assert "trace_id" not in told["before"]
    assert "tenant" not in told["failed"]
    assert "RuntimeError: what happened" in str(told["failed"]["exception"])
