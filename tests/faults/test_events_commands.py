"""`guichet events …` beside a running installation, where nothing runs, and by the parts' URLs."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from tests.support.process import Guichet, a_guichet
from tests.support.waiting import until

HANDLER = "project_tenant"


@pytest.fixture(scope="module")
def guichet() -> Iterator[Guichet]:
    """One that runs with the demo."""
    with a_guichet() as guichet:
        yield guichet.run()


def said(guichet: Guichet, *arguments: str, status: int = 0, **settings: Any) -> str:
    """What a command of `guichet events` said."""
    done = guichet.command("events", *arguments, **settings)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def with_urls(guichet: Guichet) -> dict[str, Any]:
    """The settings of parts that are apart, on the same databases."""
    return {"postgres_url": f"postgresql://127.0.0.1:{guichet.address().port}"}


async def a_dead_one(guichet: Guichet) -> UUID:
    """A tenant's event that catalog could not handle, says its inbox."""
    identity, catalog = await guichet.database("identity"), await guichet.database("catalog")
    try:
        told = await identity.fetchval(
            "SELECT envelope FROM outbox WHERE envelope->>'type' = $1 LIMIT 1",
            "identity.TenantChanged.v1",
        )
        envelope = {**json.loads(told), "id": str(new_id())}
        await catalog.execute(
            """INSERT INTO inbox (tenant_id, id, handler, state, due_at, stored_at, concerned,
                   attempts, error, envelope)
               VALUES ($1, $2, $3, 'dead', now(), now(), ARRAY[$4::uuid], 10, 'builtins.KeyError',
                   $5)""",
            UUID(envelope["tenant"]),
            UUID(envelope["id"]),
            HANDLER,
            UUID(envelope["subject"]),
            json.dumps(envelope),
        )
    finally:
        await identity.close()
        await catalog.close()
    return UUID(envelope["id"])


async def recorded(guichet: Guichet, event_id: UUID) -> list[tuple[str, str, str]]:
    """What is kept of acts on that event in catalog's database: who, what, for which handler."""
    catalog = await guichet.database("catalog")
    try:
        rows = await catalog.fetch(
            "SELECT done_by, act, handler FROM operator_acts WHERE event_id = $1",
            event_id,
        )
        return [tuple(row) for row in rows]
    finally:
        await catalog.close()


@pytest.mark.parametrize("way", ["embedded", "apart"])
async def test_a_dead_event_is_listed_replayed_and_recorded(guichet: Guichet, way: str) -> None:
    settings = {} if way == "embedded" else with_urls(guichet)
    event = await a_dead_one(guichet)
    listed = said(guichet, "dead", "--service", "catalog", **settings)
    assert re.search(rf"catalog {HANDLER} identity.TenantChanged.v1 \S+ {event} .*KeyError", listed)
    assert str(event) not in said(guichet, "dead", "--service", "requests", **settings)
    assert f"For {HANDLER} of catalog" in said(guichet, "replay", str(event), **settings)
    assert await asyncio.to_thread(
        until, lambda: str(event) not in said(guichet, "dead", **settings), 30
    )
    assert await recorded(guichet, event) == [("command line", "replayed", HANDLER)]


async def test_a_dead_event_is_discarded_once_and_recorded(guichet: Guichet) -> None:
    event = await a_dead_one(guichet)
    other = said(guichet, "discard", str(event), "--handler", "another", status=1)
    assert "No event with this id is dead" in other
    assert "is discarded" in said(guichet, "discard", str(event))
    assert "No event with this id is dead" in said(guichet, "discard", str(event), status=1)
    assert await recorded(guichet, event) == [("command line", "discarded", HANDLER)]


async def test_the_latest_events_are_told_without_what_they_hold(guichet: Guichet) -> None:
    shown = said(guichet, "tail", "--count", "500")
    lines = shown.splitlines()
    assert any("identity.ProfileChanged.v1" in line for line in lines)
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)
    assert "@" not in shown
    of_one = said(guichet, "tail", "--tenant", "ypok", "--service", "catalog").splitlines()
    assert of_one
    assert all(" catalog." in line for line in of_one)


async def test_what_was_handled_is_handled_again_for_a_handler_that_is_named(
    guichet: Guichet,
) -> None:
    shown = said(guichet, "tail", "--service", "identity", "--count", "500")
    profile = re.search(r"identity.ProfileChanged.v1 +\S+ (\S+)", shown)
    assert profile is not None
    unnamed = said(guichet, "replay", profile[1], status=1)
    assert "project_requester (notifier)" in unnamed
    again = said(guichet, "replay", profile[1], "--handler", "project_requester")
    assert "handles it again" in again


async def test_what_would_be_done_twice_is_not_without_insisting(guichet: Guichet) -> None:
    made = guichet.command("tenant", "create", "feyzin", "--admin", "maire@feyzin.example")
    assert made.returncode == 0, made.stderr
    shown = said(guichet, "tail", "--service", "identity", "--count", "500")
    invited = re.search(r"identity.InvitationRequested.v1 +\S+ (\S+)", shown)
    assert invited is not None
    asked = ("replay", invited[1], "--handler", "mail_invitation")
    assert await asyncio.to_thread(
        until, lambda: "would be done twice" in said(guichet, *asked, status=1), 30
    )


def test_a_service_that_is_none_is_told(guichet: Guichet) -> None:
    assert "There is no service bakery" in said(guichet, "dead", "--service", "bakery", status=1)


async def test_the_dead_are_listed_where_nothing_runs(guichet: Guichet) -> None:
    event = await a_dead_one(guichet)
    guichet.stop()
    try:
        assert str(event) in said(guichet, "dead")
        assert "is tried again" in said(guichet, "replay", str(event))
    finally:
        guichet.run()
    assert await asyncio.to_thread(until, lambda: str(event) not in said(guichet, "dead"), 30)
