"""Commands beside an installation that runs, and where none does."""

import asyncio
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.installation import link_in
from tests.support.post_office import PostOffice
from tests.support.process import PROJECT, Guichet, a_guichet
from tests.support.terminal import (
    comes_to,
    mail_to,
    run,
    status_of,
)
from tests.support.towns import PASSWORD, Town, Visitor, words_of

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(300)]

LIVE_WITHIN_S = 1.8
"""A second, on a machine that is also busy with other tests; less than the pause of a poll."""


async def test_a_tenant_lives_within_a_second_of_its_command(guichet: Guichet) -> None:
    guichet.run()
    assert await status_of(guichet, "vaulx") == 404  # the gateway remembers for a while
    created = await run(guichet, "tenant", "create", "vaulx", "--name", "Vaulx")
    assert f"http://vaulx.localhost:{guichet.http_port}" in created
    assert await comes_to(guichet, "vaulx", 200) < LIVE_WITHIN_S

    assert re.search(r"^vaulx +active ", await run(guichet, "tenant", "list"), re.MULTILINE)
    assert "name: Vaulx" in await run(guichet, "tenant", "show", "vaulx")
    again = await run(guichet, "tenant", "create", "vaulx", status=1)
    assert len(again.strip().splitlines()) == 1

    assert "suspended" in await run(guichet, "tenant", "suspend", "vaulx")
    assert await comes_to(guichet, "vaulx", 503) < LIVE_WITHIN_S
    assert await status_of(guichet, "ypok") == 200
    await run(guichet, "tenant", "resume", "vaulx")
    assert await comes_to(guichet, "vaulx", 200) < LIVE_WITHIN_S

    nobody = await run(guichet, "tenant", "suspend", "nobody", status=1)
    assert "There is no tenant nobody" in nobody


async def test_a_catalogue_is_live_within_a_second_of_its_import(
    guichet: Guichet, tmp_path: Path
) -> None:
    guichet.run()
    await run(guichet, "tenant", "create", "bron")
    catalogue = PROJECT / "guichet" / "demo" / "ypok" / "catalogue.yaml"
    assert "new " in await run(guichet, "catalog", "import", "bron", str(catalogue))
    assert await comes_to(guichet, "bron", 303, "/procedures/assistance-pve") < LIVE_WITHIN_S
    assert await comes_to(guichet, "bron", 200, "/categories/pve") < LIVE_WITHIN_S
    again = await run(guichet, "catalog", "import", "bron", str(catalogue))
    assert "Nothing changed." in again
    broken = tmp_path / "broken.yaml"
    broken.write_text("language: fr\ncategories: 3\n")
    await run(guichet, "catalog", "import", "bron", str(broken), status=1)
    await run(guichet, "catalog", "import", "bron", str(tmp_path / "none.yaml"), status=1)


async def test_an_invited_administrator_gets_the_page_of_j3(
    guichet: Guichet, post_office: PostOffice
) -> None:
    guichet.run()
    address = "direction@feyzin.example"
    await run(guichet, "tenant", "create", "feyzin", "--admin", address)
    mail = await mail_to(post_office, address)
    visitor = Visitor(guichet.http_port, host="feyzin.localhost")
    link = urlsplit(link_in(mail))
    assert link.netloc == f"feyzin.localhost:{guichet.http_port}"
    page = await visitor.get(f"{link.path}?{link.query}")
    assert "Pour finaliser l'activation de votre compte" in words_of(page)
    page = await visitor.press(
        page, username="direction", password=PASSWORD, password_again=PASSWORD
    )
    assert "Mon compte" in words_of(page)
    await visitor.close()


async def test_an_erased_account_is_out_within_a_second(
    guichet: Guichet, post_office: PostOffice
) -> None:
    guichet.run()
    town = Town("decines", Visitor(guichet.http_port), post_office)
    await town.registers()
    await town.activates()
    await town.files("une marque")
    page = await town.visitor.once("GET", "/requests")
    assert page.status_code == 200
    await run(guichet, "account", "erase", "ypok", "nobody", status=1)
    assert "erased" in await run(guichet, "account", "erase", "ypok", town.username)
    began = time.monotonic()
    while (await town.visitor.once("GET", "/requests")).status_code != 303:
        assert time.monotonic() - began < LIVE_WITHIN_S
        await asyncio.sleep(0.02)
    await town.visitor.close()


async def test_commands_work_where_nothing_runs_and_take_effect_at_the_next_start(
    guichet: Guichet, post_office: PostOffice
) -> None:
    address = "direction@irigny.example"
    await run(guichet, "tenant", "create", "irigny", "--admin", address)
    catalogue = PROJECT / "guichet" / "demo" / "ypok" / "catalogue.yaml"
    await run(guichet, "catalog", "import", "irigny", str(catalogue))
    await run(guichet, "tenant", "create", "ternay")
    await run(guichet, "tenant", "suspend", "ternay")
    listed = await run(guichet, "tenant", "list")
    assert re.search(r"^irigny +active ", listed, re.MULTILINE)
    assert re.search(r"^ternay +suspended ", listed, re.MULTILINE)
    assert guichet.servers() == []
    guichet.run()
    await comes_to(guichet, "irigny", 200)
    assert await status_of(guichet, "ternay") == 503
    await comes_to(guichet, "irigny", 303, "/procedures/assistance-pve")
    await mail_to(post_office, address)


async def test_commands_work_on_data_that_are_yet_to_be_made() -> None:
    with a_guichet(demo=False) as guichet:
        await run(guichet, "tenant", "create", "solaize")
        assert "up to date" in await run(guichet, "migrate")
        guichet.run()
        await comes_to(guichet, "solaize", 200)
        assert await status_of(guichet, "ypok") == 404
        assert "password" not in guichet.said()
        assert "up to date" in await run(guichet, "migrate")
