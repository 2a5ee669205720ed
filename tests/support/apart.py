"""The services on databases beside the whole installation's, driven by hand: nothing runs here."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text, update

from chassis.database import roles
from chassis.database.migrate import migrate, with_database
from chassis.inbox.handling import Handling
from chassis.inbox.worker import Patience
from chassis.keys import Keys
from chassis.runtime import Runtime
from chassis.settings import Settings
from chassis.subscriptions import Handler, Subscription
from contracts.event import Envelope
from guichet.parts import SERVICES
from guichet.passwords import database_of, passwords_of
from services.notifier.delivery.deliver import Delivery
from services.requests.domain.drafts import KEPT_FOR, UNDO_FOR
from services.requests.tables import Draft
from tests.builders.story import Portal
from tests.service.notifier.relay import ScriptedRelay
from tests.support.names import names_apart

QUICK = Patience(attempts=3, first_s=0.005, awaits_s=0.05)


class Shelf:
    """A bus that keeps what it is given, by tenant, until somebody takes it."""

    def __init__(self) -> None:
        self._kept: dict[UUID, list[Envelope]] = {}

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Keep them."""
        for envelope in envelopes:
            self._kept.setdefault(envelope.tenant, []).append(envelope)

    def take(self, tenant: UUID) -> list[Envelope]:
        """What was published of a tenant since it was taken last, in order."""
        return self._kept.pop(tenant, [])


@dataclass
class Apart:
    """The four services, and what a test does with them by hand."""

    runtimes: dict[str, Runtime]
    shelf: Shelf
    urls: dict[str, str]
    """A superuser's, of each service's database."""

    def portal(self) -> Portal:
        """A tenant that nobody was told of."""
        return Portal({name: runtime.database for name, runtime in self.runtimes.items()})

    def handling(self, service: str) -> Handling:
        """How a service's workers run its handlers."""
        return self.runtimes[service].workers[0]._handling

    @contextmanager
    def handled_by(self, service: str, name: str, handler: Handler | None) -> Iterator[None]:
        """Meanwhile a subscription's events are handled otherwise; None: by no code any more."""
        handlers = self.handling(service)._by_name
        whole = handlers.pop(name)
        assert isinstance(whole, Subscription)
        if handler is not None:
            handlers[name] = replace(whole, handler=handler)
        try:
            yield
        finally:
            handlers[name] = whole

    async def publish(self, tenant: UUID) -> list[Envelope]:
        """Have what was told of the tenant published, and take it."""
        for runtime in self.runtimes.values():
            await runtime.publisher.drain()
        return self.shelf.take(tenant)

    async def hear(self, service: str, *envelopes: Envelope) -> None:
        """Have a service's inbox filled with these at once, and worked off."""
        await self.runtimes[service].inbox.store(envelopes)
        await self.work(service)

    async def work(self, service: str) -> None:
        """Have a service's workers handle what is ready."""
        await asyncio.gather(*(worker.drain() for worker in self.runtimes[service].workers))

    async def settle(self, tenant: UUID) -> list[Envelope]:
        """Carry all that was told of the tenant, and what comes of it, to everybody, in order."""
        told: list[Envelope] = []
        while fresh := await self.publish(tenant):
            told += fresh
            for name in self.runtimes:
                for envelope in fresh:
                    await self.hear(name, envelope)
        return told

    async def rows(self, service: str, tenant: UUID, table: str) -> list[dict[str, Any]]:
        """A table's rows of a tenant, as JSON."""
        async with self.runtimes[service].database.begin(tenant) as work:
            found = await work.db.execute(text(f"SELECT to_jsonb(t) FROM {table} AS t"))
            return list(found.scalars())

    async def inbox(self, service: str, tenant: UUID) -> dict[str, str]:
        """What waits in a service's inbox, drafts' long timers apart: by handler, its state."""
        rows = await self.rows(service, tenant, "inbox")
        return {row["handler"]: row["state"] for row in rows if row["handler"] != "lapse_draft"}

    async def until_dead(self, service: str, tenant: UUID, *handlers: str) -> None:
        """Work until these handlers' rows, and no others, are left, dead."""
        await self._until(service, tenant, dict.fromkeys(handlers, "dead"), self.work)

    async def until_handled(self, service: str, tenant: UUID) -> None:
        """Work until the tenant's inbox is empty."""
        await self._until(service, tenant, {}, self.work)

    async def comes_to(self, service: str, tenant: UUID, inbox: dict[str, str]) -> None:
        """Wait until workers that run by themselves have left this in the tenant's inbox."""

        async def idle(_service: str) -> None:
            pass

        await self._until(service, tenant, inbox, idle)

    async def _until(
        self,
        service: str,
        tenant: UUID,
        inbox: dict[str, str],
        meanwhile: Callable[[str], Awaitable[None]],
    ) -> None:
        async with asyncio.timeout(20):
            while await self.inbox(service, tenant) != inbox:
                await meanwhile(service)
                await asyncio.sleep(0.005)  # what failed or waits is due some milliseconds later

    async def mails_go(self, tenant: UUID, *, refused: str) -> None:
        """The notifier's mails are sent, by SMTP. The relay refuses those to one address."""
        runtime, relay = self.runtimes["notifier"], ScriptedRelay()
        relay.rcpt_reply = {refused: f"550 5.1.1 <{refused}>: no such mailbox"}
        await relay.start()
        settings = Settings(relay_host="127.0.0.1", relay_port=relay.port)
        delivery = Delivery(runtime.database, runtime.tenants, runtime.keys, settings)
        try:
            while any(
                row["state"] == "queued" for row in await self.rows("notifier", tenant, "mails")
            ):
                await delivery.deliver_due()
        finally:
            await delivery.close()
            await relay.stop()

    async def move(self, service: str, sql: str, **values: Any) -> int:
        """Change rows as the mover. Answers how many there were."""
        async with self.runtimes[service].database.mover.begin() as connection:
            return (await connection.execute(text(sql), values)).rowcount

    async def days_pass(self, subject: UUID) -> None:
        """The timer of a registration, a recovery or a change of address comes due."""
        moved = await self.move(
            "identity",
            "UPDATE inbox SET due_at = now() WHERE concerned @> ARRAY[CAST(:id AS uuid)]",
            id=subject,
        )
        assert moved == 1, "its timer is not set"
        await self.work("identity")

    async def ninety_days_pass(self, tenant: UUID, draft: UUID) -> None:
        """A draft that was saved long ago is due to lapse."""
        async with self.runtimes["requests"].database.begin(tenant) as work:
            long_ago = work.now - KEPT_FOR
            await work.db.execute(update(Draft).where(Draft.id == draft).values(saved_at=long_ago))
        moved = await self.move(
            "requests",
            "UPDATE inbox SET due_at = now() WHERE concerned @> ARRAY[CAST(:id AS uuid)]",
            id=draft,
        )
        assert moved == 1, "its timer is not set"
        await self.work("requests")

    async def an_hour_passes(self, tenant: UUID, draft: UUID) -> None:
        """A draft that was thrown away is due to go for good."""
        async with self.runtimes["requests"].database.begin(tenant) as work:
            before = work.now - UNDO_FOR
            await work.db.execute(
                update(Draft).where(Draft.id == draft).values(discarded_at=before)
            )
        moved = await self.move(
            "requests",
            "UPDATE inbox SET due_at = now()"
            " WHERE concerned @> ARRAY[CAST(:id AS uuid)] AND handler = 'drop_draft'",
            id=draft,
        )
        assert moved == 1, "its timer is not set"
        await self.work("requests")

    async def search(self, words: Iterable[str]) -> dict[str, set[str]]:
        """In which tables of which services each of the words stands, read past every policy."""
        wanted = {word: word.casefold() for word in words}
        found: dict[str, set[str]] = defaultdict(set)
        for name, url in self.urls.items():
            admin = await asyncpg.connect(url, timeout=10)
            try:
                for table, row in await _all_rows(admin):
                    for word, folded in wanted.items():
                        if folded in row.casefold():
                            found[word].add(f"{name}.{table}")
            finally:
                await admin.close()
        return dict(found)


async def _all_rows(admin: asyncpg.Connection) -> list[tuple[str, str]]:
    tables = await admin.fetch(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    return [
        (table["name"], row[0])
        for table in tables
        for row in await admin.fetch(f"SELECT to_jsonb(t)::text FROM {table['name']} AS t")
    ]


@asynccontextmanager
async def services_apart(
    admin_url: str, folder: Path, suffix: str = "apart", *, workers: int = 2
) -> AsyncIterator[Apart]:
    """The services, each on a migrated database; their names begin with the suffix."""
    keys, shelf = Keys(folder / f"keys-{suffix}"), Shelf()
    runtimes, urls = {}, {}
    with names_apart(suffix):
        for name, service in SERVICES.items():
            await migrate(admin_url, service.schema, passwords_of(keys, name))
            database = database_of(keys, admin_url, name)
            runtimes[name] = Runtime(
                service, Settings(), database, keys, shelf, workers=workers, patience=QUICK
            )
            urls[name] = with_database(admin_url, roles.database_name(name))
    try:
        yield Apart(runtimes, shelf, urls)
    finally:
        for runtime in runtimes.values():
            for worker in runtime.workers:
                await worker._notes.close()
            await runtime.stop()
