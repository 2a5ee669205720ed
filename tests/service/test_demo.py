"""Each demo tenant is loaded whole, and its portal speaks its own words in its own language."""

import pytest
import yaml

from guichet.demo_data import DEMOS, demo_file
from services.catalog.importing.read_catalogue import read_catalogue
from tests.support.installation import Running

pytestmark = pytest.mark.xdist_group("journeys")


@pytest.mark.parametrize("slug", DEMOS)
async def test_a_demo_portal_shows_its_own_catalogue_and_no_others(
    whole: Running, slug: str
) -> None:
    described = yaml.safe_load(demo_file(slug, "tenant.yaml"))["tenant"]
    async with whole.visitor(f"{slug}.localhost") as visitor:
        home = await visitor.get("/")
        terms = await visitor.get("/texts/terms")
    assert home.status_code == terms.status_code == 200
    assert described["brand"]["portal_name"] in home.text
    for one in DEMOS:
        for category in read_catalogue(demo_file(one, "catalogue.yaml")).categories:
            assert (f'href="/categories/{category.slug}"' in home.text) is (one == slug)


async def test_everybody_of_the_demo_can_sign_in(whole: Running) -> None:
    assert {account.tenant for account in whole.accounts} == set(DEMOS)
    for account in whole.accounts:
        async with whole.visitor(f"{account.tenant}.localhost") as visitor:
            answer = await visitor.post(
                "/sign-in", data={"username": account.username, "password": account.password}
            )
            assert answer.status_code == 303
            assert (await visitor.get("/requests")).status_code == 200
