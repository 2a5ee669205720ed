"""Two tenants' people with all that they hold, for what is tried on every route that there is."""

from dataclasses import dataclass
from uuid import UUID

import pytest
import yaml

from guichet.demo_data import DEMO, demo_file
from services.catalog.importing.import_catalogue import import_catalogue
from tests.builders.catalog import a_catalogue, a_category, a_procedure
from tests.support.installation import Running
from tests.support.people import Belongings, Somebody, belongings, somebody

UPSTREAM = "amont"


@dataclass(frozen=True)
class Town:
    """A person of a tenant, and what they hold there."""

    who: Somebody
    held: Belongings


@pytest.fixture(scope="session")
async def town(whole: Running) -> Town:
    """Somebody of the demo's tenant."""
    tenant = UUID(yaml.safe_load(demo_file(DEMO, "tenant.yaml"))["tenant_id"])
    who = await somebody(whole, tenant, f"{DEMO}.localhost")
    held = await belongings(whole, who, category="ypolice", procedure="anomalie-logiciel-ypolice")
    return Town(who, held)


@pytest.fixture(scope="session")
async def foreigner(whole: Running) -> Town:
    """Somebody of another tenant, whose catalogue has nothing that the demo's has."""
    tenant = await whole.tenant(UPSTREAM)
    catalogue = a_catalogue(a_category("amont-categorie", a_procedure("amont-demarche")))
    async with whole.installation.runtimes["catalog"].database.begin(tenant) as work:
        await import_catalogue(work, catalogue)
    await whole.settled()
    who = await somebody(whole, tenant, f"{UPSTREAM}.localhost")
    held = await belongings(whole, who, category="amont-categorie", procedure="amont-demarche")
    return Town(who, held)
