"""The mailed link: it survives those who only look, serves once, and is never at rest."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from chassis.keys import Keys
from chassis.signatures import BadSignature, read, sign
from contracts.links import LIFETIMES, LINK_PARAMETER, Purpose
from guichet.parts import SERVICES
from tests.builders.identity import PASSWORD as KNOWN_PASSWORD
from tests.support.forms import form_in
from tests.support.installation import Running, link_in
from tests.support.people import Somebody, signed_in, somebody
from tests.support.registering import register

pytestmark = pytest.mark.xdist_group("journeys")

PASSWORD = "une phrase bien longue 7"
TOKEN = re.compile(r"[0-9a-f]{12}\.[\w-]+\.[\w-]+")


async def link_for(whole: Running, address: str) -> str:
    """Register at the demo; the path and query of the mailed link."""
    async with whole.visitor() as visitor:
        await register(visitor, address)
    await whole.settled()
    [mail] = await whole.mails_to(address)
    parts = urlsplit(link_in(mail))
    return f"{parts.path}?{parts.query}"


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)[LINK_PARAMETER][0]


async def use(visitor: httpx.AsyncClient, link: str) -> httpx.Response:
    """Press the page's button, with a fitting password."""
    page = await visitor.get(link)
    form = form_in(page.text, urlsplit(link).path)
    sent = form.filled(password=PASSWORD, password_again=PASSWORD)
    return await visitor.post(form.action, data=sent)


async def state_of_all(whole: Running) -> dict[str, str]:
    """Every table of every service, as a digest of its rows."""
    found = {}
    for service in SERVICES:
        admin = await whole.admin(service)
        tables = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            found[f"{service}.{table}"] = await admin.fetchval(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"
            )
        await admin.close()
    return found


async def test_a_link_opened_twenty_times_changes_nothing_and_still_serves(whole: Running) -> None:
    link = await link_for(whole, "scanner@givors.example")
    before = await state_of_all(whole)
    for number in range(20):
        async with whole.visitor() as scanner:
            page = await scanner.request("HEAD" if number % 2 else "GET", link)
            assert page.status_code == 200
            assert "set-cookie" not in page.headers
    assert await state_of_all(whole) == before
    async with whole.visitor() as visitor:
        activated = await use(visitor, link)
        assert activated.status_code == 303
        home = await visitor.get("/")
        assert "Mes demandes" in home.text


async def test_posting_a_link_twice_at_once_serves_once_and_says_so(whole: Running) -> None:
    link = await link_for(whole, "twice@givors.example")
    async with whole.visitor() as one, whole.visitor() as other:
        answers = await asyncio.gather(use(one, link), use(other, link))
    assert sorted(answer.status_code for answer in answers) == [303, 410]
    [refused] = [answer for answer in answers if answer.status_code == 410]
    assert "Ce lien a déjà été utilisé" in refused.text
    assert 'href="/sign-in"' in refused.text


@pytest.mark.parametrize("kind", ["expired", "altered", "used", "of another tenant"])
async def test_a_link_that_does_not_serve_leads_to_a_way_on(whole: Running, kind: str) -> None:
    link = await link_for(whole, f"{kind.replace(' ', '-')}@givors.example")
    host = "ypok.localhost"
    if kind == "expired":
        link = expired(whole.installation.keys, link)
    elif kind == "altered":
        link = link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB")
    elif kind == "used":
        async with whole.visitor() as visitor:
            assert (await use(visitor, link)).status_code == 303
    else:
        host = "elsewhere.localhost"
        if host not in whole.hosts:
            await whole.tenant("elsewhere")
    async with whole.visitor(host) as visitor:
        page = await visitor.get(link)
        assert page.status_code == (410 if kind in {"expired", "used"} else 403)
        posted = await visitor.post(
            "/activate",
            data={
                LINK_PARAMETER: token_of(link),
                "username": "givors",
                "password": PASSWORD,
                "password_again": PASSWORD,
            },
        )
        assert posted.status_code == page.status_code
        assert "Set-Cookie" not in posted.headers
        if kind == "expired":
            again = form_in(page.text, "/activate/again")
            sent = await visitor.post(again.action, data=again.filled())
            assert sent.status_code == 303
            await whole.settled()
            mails = await whole.mails_to("expired@givors.example", count=2)
            async with whole.visitor() as fresh:
                newest = urlsplit(link_in(mails[0]))
                assert (await use(fresh, f"{newest.path}?{newest.query}")).status_code == 303
        else:
            assert 'href="/register"' in page.text or 'href="/sign-in"' in page.text


def expired(keys: Keys, link: str) -> str:
    """The same link, had it been sent a day and some minutes ago."""
    claims = read(keys.public_keys("notifier"), token_of(link))
    kid, private = keys.signing_key("notifier")
    age_s = int(LIFETIMES[Purpose.ACTIVATION].total_seconds()) + 180
    old = sign(private, kid, {**claims, "s": claims["s"] - age_s})
    return f"/activate?{LINK_PARAMETER}={old}"


async def test_no_link_that_works_is_at_rest_while_its_mail_waits(
    whole: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    who = await somebody_of_the_demo(whole)
    waiting_at = {
        Purpose.ACTIVATION: "waiting@givors.example",
        Purpose.RESET: who.address,
        Purpose.EMAIL_CHANGE: f"{who.username}@demenagee.example",
    }
    capsys.readouterr()
    async with relay_down(whole):
        async with whole.visitor() as visitor:
            await register(visitor, "first@givors.example")
            logs = await relay_missed(capsys)  # a connection that was kept is known to be gone
            await register(visitor, waiting_at[Purpose.ACTIVATION])
            await loses_password(visitor, who.username)
            signed_in(visitor, whole, who)
            await wants_mails_at(visitor, waiting_at[Purpose.EMAIL_CHANGE])
        await whole.settled()
        logs += await relay_missed(capsys)
        dump = await everything(whole)
        for purpose, address in waiting_at.items():
            assert address in dump, "the search finds what is there"
            assert address not in logs
            assert working(whole, [dump + logs], purpose) == []
        assert KNOWN_PASSWORD not in dump + logs
        assert not key_material(whole.installation.keys) & strings(dump + logs)
    links = []
    for purpose, address in waiting_at.items():
        [mail] = await whole.mails_to(address, within_s=60)  # the relay is called on ever later
        links.append(urlsplit(link_in(mail)))
        mailbox = [path.read_text("utf-8") for path in (whole.folder / "mailbox").glob("*.eml")]
        assert len(working(whole, mailbox, purpose)) >= 1
    logs = "".join(capsys.readouterr())
    for purpose in waiting_at:
        assert working(whole, [logs, await everything(whole)], purpose) == []
    await only_looked_at(whole, [f"{link.path}?{link.query}" for link in links])


async def only_looked_at(whole: Running, links: list[str]) -> None:
    """Mail scanners open each link twenty times, and nothing changes."""
    before = await state_of_all(whole)
    for number in range(20):
        async with whole.visitor() as scanner:
            for link in links:
                page = await scanner.request("HEAD" if number % 2 else "GET", link)
                assert page.status_code == 200
                assert "set-cookie" not in page.headers
    assert await state_of_all(whole) == before


async def somebody_of_the_demo(whole: Running) -> Somebody:
    """Somebody with an account at the demo's first tenant."""
    tenant = whole.installation.gateway.tenants.at("ypok.localhost")
    assert tenant is not None
    return await somebody(whole, tenant.tenant_id, "ypok.localhost")


async def loses_password(visitor: httpx.AsyncClient, username: str) -> None:
    """Ask for a link to a new one."""
    page = await visitor.get("/recovery/password")
    form = form_in(page.text, "/recovery/password")
    sent = await visitor.post(form.action, data=form.filled(username=username, email=""))
    assert sent.status_code == 303


async def wants_mails_at(customer: httpx.AsyncClient, address: str) -> None:
    """Ask for a link to that new address."""
    page = await customer.get("/profile/address")
    form = form_in(page.text, "/profile/address")
    typed = form.filled(email=address, current_password=KNOWN_PASSWORD)
    assert (await customer.post(form.action, data=typed)).status_code == 303


@asynccontextmanager
async def relay_down(whole: Running) -> AsyncIterator[None]:
    """Within, nobody listens at the relay's port."""
    await whole.mailbox.stop()
    try:
        yield
    finally:
        await whole.mailbox.start()


async def relay_missed(capsys: pytest.CaptureFixture[str]) -> str:
    """Wait until delivery has called on the relay in vain. Answers the logs so far."""
    logs = ""
    async with asyncio.timeout(15):
        while "relay_away" not in logs and "mail_deferred" not in logs:
            await asyncio.sleep(0.05)
            logs += "".join(capsys.readouterr())
    return logs


async def everything(whole: Running) -> str:
    """All rows of all tables of all services, as text."""
    lines: list[str] = []
    for service in SERVICES:
        admin = await whole.admin(service)
        tables = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            lines += [row[0] for row in await admin.fetch(f"SELECT t::text FROM {table} t")]
        await admin.close()
    return "\n".join(lines)


def working(
    whole: Running, texts: Iterable[str], purpose: Purpose = Purpose.ACTIVATION
) -> list[UUID]:
    """What our links of this purpose name, in the clear or encoded, that stand in the texts."""
    publics = whole.installation.keys.public_keys("notifier")
    found = []
    for one in texts:
        unfolded = one.replace("=\n", "").replace("=\r\n", "").replace("=3D", "=")
        for token in TOKEN.findall("\n".join([unfolded, *decoded(unfolded)])):
            try:
                claims = read(publics, token)
            except BadSignature:
                continue
            if claims.get("p") == purpose.value:
                found.append(UUID(hex=claims["i"]))
    return found


def decoded(whole_text: str) -> list[str]:
    """What stands there in base64, as mails may."""
    blocks = re.findall(r"(?:[A-Za-z0-9+/]{60,}={0,2}\s?)+", whole_text)
    found = []
    for block in blocks:
        joined = "".join(block.split())
        raw = base64.b64decode(joined[: len(joined) // 4 * 4])
        found.append(raw.decode("utf-8", "replace"))
    return found


def key_material(keys: Keys) -> set[str]:
    """The private key as it could be written down."""
    raw = (keys.folder / "notifier.ed25519").read_bytes()
    return {raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}


def strings(whole_text: str) -> set[str]:
    """The words in which a key could stand."""
    return set(re.findall(r"[A-Za-z0-9+/=_-]{40,}", whole_text))
