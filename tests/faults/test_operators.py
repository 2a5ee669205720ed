"""`guichet operator create`: an account at a host of its own, with a role that no portal gives."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from chassis.tenants import PLATFORM
from tests.support.installation import link_in
from tests.support.post_office import PostOffice
from tests.support.process import Guichet, a_guichet
from tests.support.towns import PASSWORD, Visitor, words_of
from tests.support.waiting import until


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """Takes all mail."""
    office = PostOffice()
    yield office
    office.close()


@pytest.fixture
def guichet(post_office: PostOffice) -> Iterator[Guichet]:
    """An installation that runs, with the demo."""
    with a_guichet(relay_host="127.0.0.1", relay_port=post_office.port) as guichet:
        yield guichet.run()


def invite(guichet: Guichet, address: str) -> str:
    """Have an operator invited. Answers what the command said."""
    done = guichet.command("operator", "create", address)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def invitation(post_office: PostOffice, address: str) -> str:
    """The link that this address is mailed before long."""
    assert await asyncio.to_thread(until, lambda: post_office.mails_to(address), 30)
    return link_in(post_office.mails_to(address)[0])


async def test_operators_get_accounts_at_their_own_host_alone(
    guichet: Guichet, post_office: PostOffice
) -> None:
    host = f"ops.localhost:{guichet.http_port}"
    for username in ("first", "second"):  # the tenant is made once
        address = f"{username}@operators.example"
        assert f"http://{host}" in await asyncio.to_thread(invite, guichet, address)
        link = urlsplit(await invitation(post_office, address))
        assert link.netloc == host
        visitor = Visitor(guichet.http_port, host="ops.localhost")
        page = await visitor.get(f"{link.path}?{link.query}")
        page = await visitor.press(
            page, username=username, password=PASSWORD, password_again=PASSWORD
        )
        assert "Mon compte" in words_of(page), page.text
        await visitor.close()
    identity = await guichet.database("identity")
    try:
        found = await identity.fetch("SELECT tenant_id FROM accounts WHERE roles ? 'operator'")
    finally:
        await identity.close()
    assert [row["tenant_id"] for row in found] == [PLATFORM, PLATFORM]
