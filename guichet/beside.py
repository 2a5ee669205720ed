"""The command line beside a running installation, or where none runs: one verb, one transaction.

Beside a running one its PostgreSQL is used and its publishers are woken by a NOTIFY; where nothing
has the data, PostgreSQL is started for the command and its events are published at the next start.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar
from uuid import UUID

from chassis.keys import Keys
from chassis.principals import Principal
from chassis.publisher import notifying
from chassis.settings import Settings
from chassis.tenants import PLATFORM
from chassis.work import Database, UnitOfWork
from guichet.embedded import SERVICES, migrate_all
from guichet.passwords import database_of
from guichet.postgres import Address, PostgresServer, running, start, stop
from guichet.up import data_dir_of
from services.identity.tenants.queries import ToldTenant, all_tenants

R = TypeVar("R")

COMMAND = Principal(kind="part", part="command line")


class NoSuchTenant(Exception):
    """No tenant has this slug."""


@contextlib.contextmanager
def server_of(settings: Settings) -> Iterator[Address]:
    """The PostgreSQL of this installation: the running one, else one for this command alone."""
    data_dir = data_dir_of(settings)
    address = running(data_dir)
    if address is not None:
        yield address
        return
    server = start(data_dir, say=lambda _line: None)
    try:
        yield server
    finally:
        stop(server)


def on_service(
    settings: Settings,
    service: str,
    tenant: UUID,
    verb: Callable[[UnitOfWork], Awaitable[R]],
) -> R:
    """Run a verb in a transaction of that service and tenant, then wake who publishes."""
    with server_of(settings) as address:
        return asyncio.run(_run(settings, address, service, tenant, verb))


async def _run(
    settings: Settings,
    address: Address,
    service: str,
    tenant: UUID,
    verb: Callable[[UnitOfWork], Awaitable[R]],
) -> R:
    keys = Keys(data_dir_of(settings) / "keys")
    if isinstance(address, PostgresServer):  # nobody else has brought the databases up to date
        await migrate_all(address.admin_url(), keys)
    async with _database(keys, address, service) as database:
        async with database.begin(tenant, COMMAND) as work:
            answer = await verb(work)
        await notifying(database)()
        return answer


@contextlib.asynccontextmanager
async def _database(keys: Keys, address: Address, service: str) -> AsyncIterator[Database]:
    database = database_of(keys, address.admin_url(), service)
    database.timers.update({one.timer: one.name for one in SERVICES[service].timers})
    try:
        yield database
    finally:
        await database.close()


def tenants(settings: Settings) -> list[ToldTenant]:
    """Every tenant of the installation."""
    return on_service(settings, "identity", PLATFORM, lambda work: all_tenants(work.db))


def tenant_id_of(settings: Settings, slug: str) -> UUID:
    """The tenant with this slug. Raises NoSuchTenant."""
    for one in tenants(settings):
        if one.facts.slug == slug:
            return one.facts.tenant_id
    raise NoSuchTenant(slug)
