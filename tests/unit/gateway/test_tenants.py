"""Host to tenant: snapshot, broadcasts in any order, and hosts that nobody has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.ids import new_id
from contracts.event import Envelope, sealed
from contracts.identity import TenantChanged
from gateway.tenants import UNKNOWN_FOR_S, TenantsByHost
from gateway.upstream import PartAway
from tests.builders.catalog import a_tenant
from tests.support.waiting import bounded

TENANT = new_id()


def told(version: int, *, epoch: int = 1, **changes: Any) -> Envelope:
    """A tenant as a broadcast tells of it."""
    event = a_tenant(**{"tenant_id": TENANT, **changes})
    return sealed(
        event,
        id=new_id(),
        tenant=event.tenant_id,
        time=clock.now(),
        version=version,
        epoch=epoch,
        traceparent=None,
    )


def snapshot(version: int, *, epoch: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """The same as identity's snapshot holds it."""
    tenant = a_tenant(**{"tenant_id": TENANT, **changes})
    return [{**tenant.model_dump(mode="json"), "version": version, "epoch": epoch}]


def state_at(tenants: TenantsByHost, host: str = "portail.localhost") -> str | None:
    """How the tenant at this host stands."""
    found = tenants.at(host)
    return found.state if found else None


def test_before_the_snapshot_nothing_is_known() -> None:
    tenants = TenantsByHost()
    assert not tenants.loaded
    tenants.load([])
    assert tenants.loaded
    assert tenants.at("portail.localhost") is None


async def test_what_a_broadcast_told_meanwhile_stays() -> None:
    tenants = TenantsByHost()
    await tenants.hear(told(5, state="suspended"))
    assert not tenants.loaded
    tenants.load(snapshot(4))
    assert state_at(tenants) == "suspended"


async def test_a_snapshot_that_is_newer_counts() -> None:
    tenants = TenantsByHost()
    await tenants.hear(told(5, state="suspended"))
    tenants.load(snapshot(6))
    assert state_at(tenants) == "active"


async def test_after_a_restore_lower_versions_are_newer() -> None:
    tenants = TenantsByHost()
    tenants.load(snapshot(9))
    await tenants.hear(told(2, epoch=2, state="suspended"))
    assert state_at(tenants) == "suspended"
    tenants.load(snapshot(9))
    assert state_at(tenants) == "suspended"
    tenants.load(snapshot(3, epoch=2))
    assert state_at(tenants) == "active"
    await tenants.hear(told(10, state="suspended"))
    assert state_at(tenants) == "active"


async def test_what_comes_late_or_twice_changes_nothing() -> None:
    tenants = TenantsByHost()
    for version, state in ((1, "active"), (3, "suspended"), (2, "active"), (3, "suspended")):
        await tenants.hear(told(version, state=state))
    assert state_at(tenants) == "suspended"


async def test_a_tenant_that_moved_is_found_at_its_new_host_alone() -> None:
    tenants = TenantsByHost()
    await tenants.hear(told(1))
    await tenants.hear(told(2, host="neuf.localhost"))
    assert tenants.at("portail.localhost") is None
    assert state_at(tenants, "neuf.localhost") == "active"


async def test_tenants_that_swap_hosts_are_both_found() -> None:
    tenants, other = TenantsByHost(), new_id()
    await tenants.hear(told(1, host="a.localhost"))
    await tenants.hear(told(1, tenant_id=other, host="b.localhost"))
    await tenants.hear(told(2, host="b.localhost"))
    await tenants.hear(told(2, tenant_id=other, host="a.localhost"))
    assert _id_at(tenants, "a.localhost") == other
    assert _id_at(tenants, "b.localhost") == TENANT


def _id_at(tenants: TenantsByHost, host: str) -> UUID | None:
    found: TenantChanged | None = tenants.at(host)
    return found.tenant_id if found else None


def test_a_host_that_nobody_has_is_asked_for_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr("gateway.tenants.time", SimpleNamespace(monotonic=lambda: now[0]))
    tenants = TenantsByHost()
    tenants.load([])
    assert tenants.worth_asking("portail.localhost")
    tenants.note_unknown("portail.localhost")
    assert not tenants.worth_asking("portail.localhost")
    assert tenants.worth_asking("other.localhost")
    now[0] += UNKNOWN_FOR_S + 0.1
    assert tenants.worth_asking("portail.localhost")


def test_a_tenant_that_comes_to_be_is_unknown_no_more() -> None:
    tenants = TenantsByHost()
    tenants.note_unknown("portail.localhost")
    tenants.load(snapshot(1))
    assert state_at(tenants) == "active"


def test_strangers_hosts_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.tenants.MOST_UNKNOWN", 10)
    tenants = TenantsByHost()
    for number in range(100):
        tenants.note_unknown(f"{number}.localhost")
    assert len(tenants._unknown) <= 10


def test_no_tenant_stands_in_for_unknown_hosts_unless_the_settings_name_it() -> None:
    tenants, named = TenantsByHost(), TenantsByHost("portail")
    for one in (tenants, named):
        one.load(snapshot(1))
    assert tenants.at("elsewhere.localhost") is None
    assert state_at(named, "elsewhere.localhost") == "active"


# ── Keeping it loaded where parts are apart ──────────────────────────────────────────────────────


class Identity:
    """Stands in for identity: away at first, then with a snapshot."""

    def __init__(self, tenants: TenantsByHost, *, away: int = 0) -> None:
        self._tenants = tenants
        self.away = away
        self.asked = 0
        self.state = "active"

    async def load(self) -> None:
        """What the gateway has loaded."""
        self.asked += 1
        if self.asked <= self.away:
            raise PartAway("identity")
        self._tenants.load(snapshot(self.asked, state=self.state))


@asynccontextmanager
async def kept_loaded(tenants: TenantsByHost, identity: Identity) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    keeping = asyncio.create_task(tenants.keep_loaded(identity.load, stopping))
    yield
    stopping.set()
    async with bounded(5):
        await keeping


async def comes_to(holds: Callable[[], bool]) -> None:
    async with bounded(5):
        while not holds():  # noqa: ASYNC110  # a count, which tells nobody
            await asyncio.sleep(0.005)


async def test_the_snapshot_is_asked_for_until_identity_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.tenants.ASKED_AGAIN_S", (0.005, 0.01))
    tenants = TenantsByHost()
    identity = Identity(tenants, away=3)
    async with kept_loaded(tenants, identity):
        await comes_to(lambda: tenants.loaded)
    assert identity.asked == 4


async def test_once_changes_are_heard_again_the_snapshot_is_loaded_anew() -> None:
    tenants = TenantsByHost(reloaded_every_s=3600)
    identity = Identity(tenants)
    async with kept_loaded(tenants, identity):
        await comes_to(lambda: tenants.loaded)
        tenants.lost()
        await comes_to(lambda: identity.asked == 2)
        identity.state = "suspended"
        await tenants.joined()
        await comes_to(lambda: state_at(tenants) == "suspended")


async def test_while_changes_are_not_heard_the_snapshot_is_loaded_again_and_again() -> None:
    tenants = TenantsByHost(reloaded_every_s=0.01)
    identity = Identity(tenants)
    tenants.lost()
    async with kept_loaded(tenants, identity):
        await comes_to(lambda: identity.asked > 5)
