"""The command line beside a running installation, or where none runs: one verb, one transaction.

Beside a running one its PostgreSQL is used and its publishers are woken by a NOTIFY; where nothing
has the data, PostgreSQL is started for the command and its events are published at the next start.
Where the settings say where the databases are, as in the distributed way, those are used.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import asyncpg

from chassis.keys import Keys
from chassis.outbox import notifying
from chassis.principals import Principal
from chassis.settings import Settings
from chassis.tenants import PLATFORM
from chassis.work import Database, UnitOfWork
from guichet.parts import SERVICES, migrate_all
from guichet.passwords import database_of
from guichet.postgres import Address, CannotStart, PostgresServer, running, start, stop
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


@contextlib.contextmanager
def urls_of(settings: Settings) -> Iterator[Mapping[str, str]]:
    """By service, the server that has its database: where the parts are apart, as the settings say;
    else the installation's own, as in `server_of`."""
    apart = {name: settings.postgres_url_of(name) for name in SERVICES}
    named = {name: url for name, url in apart.items() if url is not None}
    if named:
        if lacking := sorted(apart.keys() - named.keys()):
            raise CannotStart(
                f"The settings name no server for {', '.join(lacking)}: set GUICHET_POSTGRES_URL."
            )
        yield named
        return
    with server_of(settings) as address:
        if isinstance(address, PostgresServer):  # nobody else has brought these up to date
            asyncio.run(migrate_all(address.admin_url(), Keys(data_dir_of(settings) / "keys")))
        yield dict.fromkeys(SERVICES, address.admin_url())


def is_distributed(settings: Settings) -> bool:
    """Do the settings say where the databases are?"""
    return any(settings.postgres_url_of(service) for service in SERVICES)


def on_service(
    settings: Settings,
    service: str,
    tenant: UUID,
    verb: Callable[[UnitOfWork], Awaitable[R]],
) -> R:
    """Run a verb in a transaction of that service and tenant, then wake who publishes."""

    async def run(opened: Mapping[str, Database]) -> R:
        async with opened[service].begin(tenant, COMMAND) as work:
            return await verb(work)

    return on_databases(settings, [service], run)


def on_databases(
    settings: Settings,
    services: Sequence[str],
    work: Callable[[Mapping[str, Database]], Awaitable[R]],
) -> R:
    """Do work on these services' databases, then wake who publishes. Raises CannotStart where one
    can't be reached.
    """
    keys = Keys(data_dir_of(settings) / "keys")
    with urls_of(settings) as urls:
        opened = {name: database_of(keys, urls[name], name) for name in services}
        try:
            return asyncio.run(_run(opened, work))
        except (OSError, asyncpg.PostgresError) as error:
            raise CannotStart(
                f"The database of {' or '.join(services)} can't be used ({type(error).__name__}):"
                " is it up, and has `guichet migrate` been run with the same key folder?"
            ) from error


async def _run(
    opened: Mapping[str, Database], work: Callable[[Mapping[str, Database]], Awaitable[R]]
) -> R:
    try:
        for service, database in opened.items():
            database.timers.update({one.timer: one.name for one in SERVICES[service].timers})
        answer = await work(opened)
        for database in opened.values():
            await notifying(database)()
        return answer
    finally:
        for database in opened.values():
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
