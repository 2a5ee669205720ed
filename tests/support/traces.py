"""Traces as `chassis.trace_file` wrote them, read back and drawn as trees."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Span:
    """A line of the file."""

    trace: str
    span: str
    parent: str | None
    name: str
    part: str
    started_ns: int
    took_ms: float
    status: str
    attributes: dict[str, Any]


def read(path: Path) -> list[Span]:
    """All spans of the file, those alone that are written whole."""
    if not path.exists():
        return []
    whole = path.read_text().rpartition("\n")[0]
    return [Span(**json.loads(line)) for line in whole.splitlines()]


def trace_with(spans: Sequence[Span], name: str) -> list[Span]:
    """The trace that the first span of this name belongs to; empty where there is none."""
    found = next((one.trace for one in spans if one.name == name), None)
    return [one for one in spans if one.trace == found]


def tree(spans: Sequence[Span]) -> str:
    """A line a span, indented under its parent, in the order in which they began."""
    known = {one.span for one in spans}
    roots = [one for one in spans if one.parent not in known]
    return "\n".join(line for root in _in_order(roots) for line in _drawn(root, spans, 0))


def path_to(spans: Sequence[Span], name: str) -> list[Span]:
    """What leads from the trace's root to the first span of this name, that one included."""
    by_id = {one.span: one for one in spans}
    at = next((one for one in spans if one.name == name), None)
    path: list[Span] = []
    while at is not None:
        path.insert(0, at)
        at = by_id.get(at.parent or "")
    return path


def _drawn(one: Span, spans: Sequence[Span], depth: int) -> Iterator[str]:
    told = " ".join(f"{key}={value}" for key, value in one.attributes.items())
    yield f"{'  ' * depth}{one.name} [{one.part}] {one.took_ms} ms {told}".rstrip()
    for child in _in_order([other for other in spans if other.parent == one.span]):
        yield from _drawn(child, spans, depth + 1)


def _in_order(spans: Sequence[Span]) -> list[Span]:
    return sorted(spans, key=lambda one: one.started_ns)
