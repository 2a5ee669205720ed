"""The whole installation in the tests' own loop: every part, a real database, real mail."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from chassis.database.migrate import with_database
from chassis.database.roles import database_name
from chassis.ids import new_id
from chassis.inbox.worker import Patience
from chassis.keys import Keys
from chassis.settings import Settings
from guichet.demo_data import DEMO, DemoAccount, load_catalogue, load_demos
from guichet.embedded import Installation
from guichet.mailbox import Mailbox
from guichet.parts import SERVICES, migrate_all
from services.identity.domain.tenants import TenantFacts
from services.identity.tenants.create_tenant import create_tenant

QUICK = Patience(attempts=4, first_s=0.05, awaits_s=0.5)

BROWSER = {
    "Sec-Fetch-Site": "same-origin",
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "fr",
}


@dataclass
class Running:
    """An installation that runs, and what a test needs to see of it."""

    installation: Installation
    mailbox: Mailbox
    admin_url: str
    folder: Path
    accounts: list[DemoAccount]
    port: int
    hosts: dict[str, UUID] = field(default_factory=dict)
    _read: dict[Path, EmailMessage] = field(default_factory=dict, kw_only=True)
    """Mails are read once: whoever waits for one looks often, in the loop that is to bring it."""

    @contextlib.asynccontextmanager
    async def visitor(self, host: str = f"{DEMO}.localhost") -> AsyncIterator[httpx.AsyncClient]:
        """Somebody with a browser's headers and a cookie jar of their own, at that host."""
        async with httpx.AsyncClient(
            transport=self.transport(), base_url=f"http://{host}:{self.port}", headers=BROWSER
        ) as client:
            yield client

    def transport(self) -> httpx.AsyncBaseTransport:
        """To the gateway."""
        return httpx.ASGITransport(self.installation.gateway, raise_app_exceptions=False)

    def straight_to(self, service: str) -> httpx.AsyncBaseTransport:
        """To a service, past the gateway."""
        return httpx.ASGITransport(self.installation.apps[service])

    async def settled(self) -> None:
        """Wait until every event has been handled."""
        assert await self.installation.settled(within_s=30), "events are still being handled"

    async def tenant(self, slug: str) -> UUID:
        """Another tenant, whole, with the demo's catalogue."""
        tenant = new_id()
        host = f"{slug}.localhost"
        facts = TenantFacts.model_validate(
            {
                "slug": slug,
                "host": host,
                "name": slug.upper(),
                "brand": {"portal_name": f"Portail {slug}", "colour": "#7a1f5a"},
                "support": {"phone": "0", "hours": {"fr": "8 h"}, "mail": "aide@portail.example"},
                "signature": {"fr": "Le support"},
                "terms": {"fr": "Conditions."},
            }
        )
        runtimes = self.installation.runtimes
        async with runtimes["identity"].database.begin(tenant) as work:
            await create_tenant(work, facts)
        await load_catalogue(runtimes["catalog"].database, tenant, DEMO)
        await self.settled()
        self.hosts[host] = tenant
        return tenant

    def mails(self, address: str) -> list[EmailMessage]:
        """What that address was sent, newest first, as the mailbox holds it on disk."""
        paths = sorted((self.folder / "mailbox").glob("*.eml"), reverse=True)
        return [mail for path in paths if address in str((mail := self._mail(path))["To"])]

    def _mail(self, path: Path) -> EmailMessage:
        if path not in self._read:
            _envelope, _, raw = path.read_bytes().partition(b"\n")
            message = message_from_bytes(raw, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self._read[path] = message
        return self._read[path]

    async def mails_to(
        self, address: str, *, count: int = 1, within_s: float = 10
    ) -> list[EmailMessage]:
        """As `mails`, once there are so many."""
        async with asyncio.timeout(within_s):
            while len(found := self.mails(address)) < count:  # noqa: ASYNC110  # on the disk
                await asyncio.sleep(0.02)
        return found

    async def admin(self, service: str) -> asyncpg.Connection:
        """A superuser's connection to a service's database."""
        return await asyncpg.connect(
            with_database(self.admin_url, database_name(service)), timeout=10
        )


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def link_in(mail: EmailMessage) -> str:
    """The link with a token that the mail's text holds."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://\S+[?]link=\S+", body.get_content())
    assert found is not None, "no link in this mail"
    return found[0]


@contextlib.asynccontextmanager
async def running(admin_url: str, folder: Path) -> AsyncIterator[Running]:
    """An installation on that server, with the demo, its mails in a catcher of its own."""
    mailbox = Mailbox(folder / "mailbox", smtp_port=0, http_port=0)
    await mailbox.start()
    port = free_port()
    settings = Settings(
        http_port=port,
        relay_host="127.0.0.1",
        relay_port=mailbox.smtp_port,
        guarded_posts_a_minute=0,
        pseudo_locale=True,
        log_format="json",
        data_dir=folder,
    )
    keys = folder / "keys"
    await migrate_all(admin_url, Keys(keys))
    installation = Installation(settings, keys, admin_url, patience=QUICK)
    accounts = await load_demos(settings, installation.databases, folder)
    await installation.start()
    whole = Running(installation, mailbox, admin_url, folder, accounts, port)
    await whole.settled()
    try:
        yield whole
    finally:
        await installation.stop()
        await mailbox.stop()


def service_names() -> list[str]:
    """The services of the installation."""
    return list(SERVICES)
