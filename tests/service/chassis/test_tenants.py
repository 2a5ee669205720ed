"""The tenants that a process keeps in memory: what is told, what is read, and for how long."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from chassis.ids import new_id
from chassis.tenants import TenantCache
from contracts.event import Envelope
from tests.builders.catalog import a_tenant
from tests.builders.notifier import told
from tests.support.apart import Apart


def named(tenant: UUID, name: str, version: int) -> Envelope:
    """What identity tells of the tenant."""
    return told(tenant, a_tenant(tenant_id=tenant, name=name), version=version)


async def name_in(cache: TenantCache, tenant: UUID) -> str | None:
    facts = await cache.get(tenant)
    return facts.name if facts else None


@pytest.fixture
def cache(apart: Apart) -> TenantCache:
    return TenantCache(apart.runtimes["catalog"].database)


async def test_what_is_told_counts_for_more_than_what_was_read(
    apart: Apart, cache: TenantCache
) -> None:
    tenant = new_id()
    assert await cache.get(tenant) is None
    await apart.hear("catalog", named(tenant, "Ancien", 1))
    assert await name_in(cache, tenant) == "Ancien"
    await cache.apply(named(tenant, "Neuf", 2))
    await cache.apply(named(tenant, "Ancien", 1))
    assert await name_in(cache, tenant) == "Neuf"


async def test_what_was_read_is_read_again_after_a_while(
    apart: Apart, cache: TenantCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been read just before the inbox came to what was told before this process
    listened."""
    tenant = new_id()
    await apart.hear("catalog", named(tenant, "Ancien", 1))
    assert await name_in(cache, tenant) == "Ancien"
    await apart.hear("catalog", named(tenant, "Neuf", 2))
    assert await name_in(cache, tenant) == "Ancien"
    # The module's own name alone: by the function itself the loop, and all timers, would leap too.
    monkeypatch.setattr("chassis.tenants.time", SimpleNamespace(monotonic=lambda: 10.0**9))
    assert await name_in(cache, tenant) == "Neuf"


async def test_what_may_have_been_missed_is_read_anew(apart: Apart, cache: TenantCache) -> None:
    tenant = new_id()
    broadcast = cache.broadcasts()
    await cache.apply(named(tenant, "Ancien", 1))
    await apart.hear("catalog", named(tenant, "Neuf", 2))
    assert await name_in(cache, tenant) == "Ancien"
    assert broadcast.joined is not None
    await broadcast.joined()
    assert await name_in(cache, tenant) == "Neuf"
    await apart.hear("catalog", named(tenant, "Autre", 3))
    assert broadcast.lost is not None
    broadcast.lost()
    assert await name_in(cache, tenant) == "Autre"
