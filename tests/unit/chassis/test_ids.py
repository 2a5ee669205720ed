"""Identifiers sort by the time at which they were made."""

import time
from uuid import RFC_4122

import pytest

from chassis.ids import new_id


def test_an_id_is_a_uuid_of_the_seventh_kind() -> None:
    for one in [new_id() for _ in range(1000)]:
        assert one.version == 7
        assert one.variant == RFC_4122


def test_no_two_are_alike() -> None:
    assert len({new_id() for _ in range(100_000)}) == 100_000


def test_an_id_holds_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    stamp = new_id().int >> 80
    assert before <= stamp <= time.time_ns() // 1_000_000


def test_later_ones_sort_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    made = []
    for milliseconds in range(100):
        monkeypatch.setattr("chassis.ids.time.time_ns", lambda at=milliseconds: now + at * 10**6)
        made.append(new_id())
    assert made == sorted(made)
    assert [str(one) for one in made] == sorted(str(one) for one in made)
