"""Tenants begin, change, and are told."""

import pytest

from chassis.ids import new_id
from contracts.identity import TenantChanged
from services.identity.domain.tenants import HostTaken, SlugTaken, UnknownTenant
from services.identity.tables import Tenant
from services.identity.tenants.change_tenant import change_tenant
from services.identity.tenants.create_tenant import create_tenant
from services.identity.tenants.publish_terms import publish_terms
from services.identity.tenants.queries import all_tenants, tenant_by_host
from services.identity.tenants.resume_tenant import resume_tenant
from services.identity.tenants.suspend_tenant import suspend_tenant
from tests.builders.identity import tenant_facts
from tests.service.identity.conftest import Portal


async def test_a_new_tenant_is_told_whole(portal: Portal) -> None:
    told = await portal.only(TenantChanged)
    assert told.tenant_id == portal.tenant
    assert (told.slug, told.host, told.state) == (portal.facts.slug, portal.facts.host, "active")
    assert told.brand == portal.facts.brand
    assert (told.terms.version, told.terms.text) == (1, {"fr": "Soyez aimables."})


async def test_creating_a_tenant_again_has_no_effect(portal: Portal) -> None:
    async with portal.begin() as work:
        assert not await create_tenant(work, tenant_facts())
    assert (await portal.row(Tenant, portal.tenant)).slug == portal.facts.slug
    assert len(await portal.told(TenantChanged)) == 1


async def test_a_slug_and_a_host_belong_to_one_tenant(portal: Portal) -> None:
    with pytest.raises(SlugTaken):
        async with portal.runtime.database.begin(new_id()) as work:
            await create_tenant(work, tenant_facts(slug=portal.facts.slug))
    with pytest.raises(HostTaken):
        async with portal.runtime.database.begin(new_id()) as work:
            await create_tenant(work, tenant_facts(host=portal.facts.host.upper() + "."))


async def test_terms_get_a_version_when_their_text_changes(portal: Portal) -> None:
    async with portal.begin() as work:
        await change_tenant(work, portal.facts.model_copy(update={"name": "YPOK SAS"}))
    async with portal.begin() as work:
        terms = {"fr": "Soyez patients."}
        await change_tenant(work, portal.facts.model_copy(update={"terms": terms}))
    async with portal.begin() as work:
        assert await publish_terms(work, {"fr": "Soyez les deux."}) == 3
    told = await portal.told(TenantChanged)
    assert [(one.name, one.terms.version) for one in told] == [
        ("YPOK", 1),
        ("YPOK SAS", 1),
        ("YPOK", 2),
        ("YPOK", 3),
    ]
    assert told[-1].terms.text == {"fr": "Soyez les deux."}


async def test_a_tenant_is_suspended_and_resumed_once(portal: Portal) -> None:
    for verb in (suspend_tenant, suspend_tenant, resume_tenant, resume_tenant):
        async with portal.begin() as work:
            await verb(work)
    states = [one.state for one in await portal.told(TenantChanged)]
    assert states == ["active", "suspended", "active"]
    with pytest.raises(UnknownTenant):
        async with portal.runtime.database.begin(new_id()) as work:
            await suspend_tenant(work)


async def test_the_installation_is_seen_by_the_two_functions_alone(portal: Portal) -> None:
    async with portal.runtime.database.begin(new_id()) as work:
        assert await work.find(Tenant, Tenant.slug == portal.facts.slug) is None
        everyone = {one.facts.tenant_id: one for one in await all_tenants(work.db)}
        found = await tenant_by_host(work.db, portal.facts.host)
        assert await tenant_by_host(work.db, "nobody.localhost") is None
    assert found is not None
    assert found == everyone[portal.tenant]
    assert (found.facts, found.version) == (await portal.only(TenantChanged), 1)
