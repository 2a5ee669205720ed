"""The commands `guichet events tail|dead|replay|discard`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from chassis.inbox.again import handle_again
from chassis.inbox.dead import COMMAND_LINE, DeadRow, discard, replay
from chassis.keys import Keys
from chassis.settings import Settings
from chassis.subscriptions import Mode
from chassis.work import Database
from guichet.beside import tenant_id_of, urls_of
from guichet.events.finding import by_id, dead, latest, listeners
from guichet.parts import SERVICES
from guichet.passwords import database_of
from guichet.refusals import refuse, told
from guichet.up import data_dir_of

events_app = typer.Typer(no_args_is_help=True, help="Events, and those that nobody could handle.")

R = TypeVar("R")
Databases = Mapping[str, Database]

Service = Annotated[str, typer.Option(help="Of this service alone.")]
Tenant = Annotated[str, typer.Option(help="Of this tenant alone, by its short name.")]
Handler = Annotated[str, typer.Option(help="For this handler alone.")]

FOLLOW_S = 1.0


@events_app.command("tail")
def tail(
    service: Service = "",
    tenant: Tenant = "",
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many of the latest.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
) -> None:
    """The latest events: time, service, type, tenant, id, and whether they were sent."""
    with told() as settings:
        wanted = tenant_id_of(settings, tenant) if tenant else None

        async def show(databases: Databases) -> None:
            shown: set[UUID] = set()
            while True:
                found = await latest(databases, tenant=wanted, most=count)
                for one in found:
                    if one.id not in shown:
                        typer.echo(
                            f"{one.time.isoformat(timespec='milliseconds')} {one.type:44}"
                            f" {one.tenant} {one.id} {'sent' if one.sent else 'waits'}"
                        )
                shown = {one.id for one in found}
                if not follow:
                    return
                await asyncio.sleep(FOLLOW_S)

        with contextlib.suppress(KeyboardInterrupt):
            _ask(settings, service, show)


@events_app.command("dead")
def list_dead(service: Service = "", tenant: Tenant = "") -> None:
    """Events that a handler gave up on: since when, service, handler, type, tenant, id, cause."""
    with told() as settings:
        wanted = tenant_id_of(settings, tenant) if tenant else None
        found = _ask(settings, service, lambda databases: dead(databases, tenant=wanted))
        for name, row in found:
            typer.echo(
                f"{row.stored_at.isoformat(timespec='seconds')} {name} {row.handler} {row.type}"
                f" {row.tenant} {row.id} after {row.attempts}: {row.error}"
            )
        if not found:
            typer.echo("Nothing is dead.")


@events_app.command("replay")
def replay_event(
    id: UUID,
    handler: Handler = "",
    service: Service = "",
    insist: Annotated[
        bool, typer.Option("--insist", help="Though its effect may come twice, such as a mail.")
    ] = False,
) -> None:
    """Have a dead event tried again; or one that was handled, for the handler that is named."""
    with told() as settings:

        async def again(databases: Databases) -> str:
            rows = _of(handler, await dead(databases, id=id))
            for name, row in rows:
                await replay(databases[name].mover, row.tenant, id, row.handler, by=COMMAND_LINE)
            if rows:
                return _sentence("is tried again", rows)
            return await _handle_again(databases, id, handler, insist=insist)

        typer.echo(_ask(settings, service, again))


async def _handle_again(databases: Databases, id: UUID, handler: str, *, insist: bool) -> str:
    envelope = await by_id(databases, id)
    if envelope is None:
        refuse("No event with this id is dead, and no outbox keeps it any more.")
    heard = [one for one in listeners(envelope.type) if one.service in databases]
    chosen = [one for one in heard if one.handler == handler]
    if not chosen:
        names = ", ".join(f"{one.handler} ({one.service})" for one in heard) or "nobody"
        refuse(f"It is not dead. To have it handled again name its handler: {names}.")
    [one] = chosen[:1]
    if one.mode is Mode.EVERY and not insist:
        refuse(
            f"What {one.handler} does would be done twice, such as a mail sent: if that is what you"
            " want, add --insist."
        )
    done = await handle_again(databases[one.service].mover, envelope, one.handler, by=COMMAND_LINE)
    if not done:
        refuse(f"It already waits to be handled by {one.handler}.")
    return f"{one.handler} of {one.service} handles it again."


@events_app.command("discard")
def discard_event(id: UUID, handler: Handler = "", service: Service = "") -> None:
    """Let a dead event go without effect. It can't be undone."""
    with told() as settings:

        async def drop(databases: Databases) -> str:
            rows = _of(handler, await dead(databases, id=id))
            if not rows:
                refuse("No event with this id is dead: `guichet events dead` lists them.")
            for name, row in rows:
                await discard(databases[name].mover, row.tenant, id, row.handler, by=COMMAND_LINE)
            return _sentence("is discarded", rows)

        typer.echo(_ask(settings, service, drop))


def _of(handler: str, rows: list[tuple[str, DeadRow]]) -> list[tuple[str, DeadRow]]:
    return [(name, row) for name, row in rows if handler in ("", row.handler)]


def _sentence(what: str, rows: list[tuple[str, DeadRow]]) -> str:
    return "\n".join(f"For {row.handler} of {name} it {what}." for name, row in rows)


def _ask(settings: Settings, service: str, question: Callable[[Databases], Awaitable[R]]) -> R:
    """The question's answer, asked of that service's database, or of all."""
    if service and service not in SERVICES:
        refuse(f"There is no service {service}: {', '.join(SERVICES)} are.")
    with urls_of(settings) as urls:
        keys = Keys(data_dir_of(settings) / "keys")

        async def ask() -> R:
            names = [service] if service else list(SERVICES)
            async with _databases(keys, {name: urls[name] for name in names}) as databases:
                return await question(databases)

        return asyncio.run(ask())


@contextlib.asynccontextmanager
async def _databases(keys: Keys, urls: Mapping[str, str]) -> AsyncIterator[Databases]:
    databases = {name: database_of(keys, url, name) for name, url in urls.items()}
    try:
        yield databases
    finally:
        await asyncio.gather(*(one.close() for one in databases.values()))
