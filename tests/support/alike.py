"""Comparing rows up to names: two tenants that lived the same have no id in common.

A *name* is an id, an instant, a request's number, a hash, a tenant's slug or a mail's Message-ID:
drawn anew in each life. What one is called says nothing; in which places of which rows it stands
says all. So names are coloured by where they stand and rows by the names that stand in them, in
turns (the colour refinement of Weisfeiler and Leman), and rows are alike when their colours are.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KINDS = {
    "id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "instant": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)",
    "number": r"\d{4}-\d{6,}",
    "hash": r"[0-9a-f]{64}|[0-9a-f]{32}",
    "slug": r"t[0-9a-f]{12}(\.localhost)?",
    "message": r"<[0-9a-f]{32}@t[0-9a-f]{12}\.localhost>",
}
_NAME = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KINDS.items()))

ROUNDS = 8
"""More than the longest chain of rows from name to name."""


@dataclass(frozen=True)
class Row:
    """A row, or another fact: of which table, and what it holds as JSON."""

    table: str
    values: dict[str, Any]


@dataclass(frozen=True)
class _Name:
    kind: str
    name: str


_Held = list[tuple[str, str | _Name]]
"""What stands in a row, each with its place there."""


def differences(these: Sequence[Row], those: Sequence[Row]) -> list[str]:
    """What stands on one side only, names replaced by their kinds; empty where both are alike.

    The rows that differ by what they hold themselves, else by the rows that share a name with
    them, else by the rows that share one with those, and so on.
    """
    sides = (_Side(these), _Side(those))
    for _ in range(ROUNDS):
        mine, other = (side.shapes() for side in sides)
        if mine != other:
            return [
                f"{sign} {text}"
                for sign, side, against in (("-", sides[0], other), ("+", sides[1], mine))
                for text in side.beyond(against)
            ]
        for side in sides:
            side.refine()
    return []


class _Side:
    """Rows, and the colours of the names that stand in them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = [(row.table, _places(row)) for row in rows]
        self._colours: dict[_Name, int] = defaultdict(int)

    def shapes(self) -> Counter[int]:
        """How often each colour of a row occurs."""
        return Counter(self._colour(*row) for row in self._rows)

    def beyond(self, others: Counter[int]) -> list[str]:
        """The rows of which there are more here, as text."""
        more = self.shapes() - others
        return sorted(_text(*row) for row in self._rows if self._colour(*row) in more)

    def refine(self) -> None:
        """Tell names apart by the rows in which they stand."""
        stands: dict[_Name, list[tuple[str, int]]] = defaultdict(list)
        for table, held in self._rows:
            colour = self._colour(table, held)
            for path, value in held:
                if isinstance(value, _Name):
                    stands[value].append((path, colour))
        self._colours.update({name: hash(tuple(sorted(at))) for name, at in stands.items()})

    def _colour(self, table: str, held: _Held) -> int:
        coloured = (
            (path, hash((value.kind, self._colours[value])))
            if isinstance(value, _Name)
            else (path, hash(value))
            for path, value in held
        )
        return hash((table, *sorted(coloured)))


def _text(table: str, held: _Held) -> str:
    return f"{table}: " + " ".join(
        f"{path}={f'<{value.kind}>' if isinstance(value, _Name) else value}" for path, value in held
    )


def _places(row: Row) -> _Held:
    return sorted(_flat("", row.values), key=lambda place: (place[0], repr(place[1])))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str | _Name]]:
    """What a row holds, each with its place in it. In a list of names alone order says nothing."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}", inner)
    elif isinstance(value, list):
        read = [_read(one) for one in value]
        is_set = all(isinstance(one, _Name) for one in read)
        for position, inner in enumerate(value):
            yield from _flat(f"{path}[{'' if is_set else position}]", inner)
    else:
        yield path, _read(value)


def _read(value: Any) -> str | _Name:
    if isinstance(value, str) and (found := _NAME.fullmatch(value)):
        kind = found.lastgroup
        assert kind is not None
        is_instant = kind == "instant"
        return _Name(kind, datetime.fromisoformat(value).isoformat() if is_instant else value)
    return value if isinstance(value, str) else json.dumps(value)
