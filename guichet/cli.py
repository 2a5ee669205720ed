"""The command line: `guichet up`, `serve PART`, `migrate`, `demo`, `doctor`, `asyncapi`,
`tenant …`, `catalog …`, `account …`, `events …`, `operator …`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import typer
import yaml

from chassis.ids import new_id
from chassis.keys import Keys
from chassis.settings import Settings
from chassis.work import UnitOfWork
from guichet import asyncapi
from guichet.beside import (
    is_distributed,
    on_databases,
    on_service,
    server_of,
    tenant_id_of,
    tenants,
)
from guichet.demo_data import load_demos, tenant_facts
from guichet.doctor.examining import examine
from guichet.events.commands import events_app
from guichet.operators import operator_app
from guichet.parts import PARTS, migrate_all
from guichet.refusals import refuse, told
from guichet.serve import serve as serve_part
from guichet.up import data_dir_of, portals, run
from services.catalog.importing.import_catalogue import import_catalogue
from services.catalog.importing.read_catalogue import read_catalogue
from services.catalog.importing.schema import schema_text
from services.catalog.importing.untranslated import untranslated
from services.identity.accounts.erase_account import erase_account
from services.identity.accounts.find_account import account_by_username
from services.identity.accounts.invite_person import invite_person
from services.identity.domain.tenants import TenantFacts
from services.identity.tenants.create_tenant import create_tenant
from services.identity.tenants.resume_tenant import resume_tenant
from services.identity.tenants.suspend_tenant import suspend_tenant

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
tenant_app = typer.Typer(no_args_is_help=True, help="The tenants of this installation.")
catalog_app = typer.Typer(no_args_is_help=True, help="What tenants offer.")
account_app = typer.Typer(no_args_is_help=True, help="People's accounts.")
app.add_typer(tenant_app, name="tenant")
app.add_typer(catalog_app, name="catalog")
app.add_typer(account_app, name="account")
app.add_typer(events_app, name="events")
app.add_typer(operator_app, name="operator")

Slug = Annotated[str, typer.Argument(help="The tenant's short name, as in its host.")]


@app.command()
def up() -> None:
    """Start the whole installation and stay in front until Ctrl-C."""
    with told() as settings:
        status = run(settings)
    sys.exit(status)


@app.command()
def serve(part: Annotated[str, typer.Argument(help=f"One of {', '.join(PARTS)}.")]) -> None:
    """Run one part in front, of an installation whose parts run apart, until it is told to stop."""
    if part not in PARTS:
        refuse(f"There is no part {part}: it is one of {', '.join(PARTS)}.")
    with told() as settings:
        status = serve_part(part, settings)
    sys.exit(status)


@app.command()
def migrate() -> None:
    """Bring the databases to what this version expects. `up` does so too; `serve` does not.

    Apart, on the server that GUICHET_POSTGRES_ADMIN_URL names.
    """
    with told() as settings:
        keys = Keys(data_dir_of(settings) / "keys")
        if settings.postgres_admin_url is not None:
            try:
                done = asyncio.run(migrate_all(settings.postgres_admin_url, keys))
            except (OSError, asyncpg.PostgresError) as error:
                refuse(f"The administrator's server can't be used: {type(error).__name__}.")
        elif is_distributed(settings):
            refuse("Set GUICHET_POSTGRES_ADMIN_URL: the services' roles may not make databases.")
        else:
            with server_of(settings) as address:
                done = asyncio.run(migrate_all(address.admin_url(), keys))
        for service, steps in done.items():
            typer.echo(f"{service}: {', '.join(steps) or 'up to date'}")


@app.command()
def doctor() -> None:
    """Name what is wrong with this installation, and what to do. Status 1 if anything is."""
    with told() as settings:
        found = examine(settings)
    for one in found:
        typer.echo(f"{one.check}: {one.cause}\n    {one.remedy}")
    if not found:
        typer.echo("All is well.")
    sys.exit(1 if found else 0)


@app.command("demo")
def load_demo() -> None:
    """Make the demo's tenants, unless they are there, and say who may sign in."""
    with told() as settings:
        folder = data_dir_of(settings)
        accounts = on_databases(
            settings, ["identity", "catalog"], lambda opened: load_demos(settings, opened, folder)
        )
        for line in portals(settings, accounts):
            typer.echo(line)


@app.command("asyncapi")
def write_asyncapi() -> None:
    """Write contracts/asyncapi.yaml anew, from the event classes and the subscriptions."""
    asyncapi.path().write_text(asyncapi.written(), "utf-8")
    typer.echo(str(asyncapi.path()))


@tenant_app.command("create")
def tenant_create(
    slug: Slug,
    name: Annotated[str, typer.Option(help="Whose portal it is.")] = "",
    portal: Annotated[str, typer.Option(help="What the portal is called.")] = "",
    colour: Annotated[str, typer.Option(help="The brand's colour, #rrggbb.")] = "#1f5fa8",
    host: Annotated[str, typer.Option(help="Its own host name, if not SLUG.domain.")] = "",
    support_mail: Annotated[str, typer.Option(help="Signs the mails.")] = "",
    support_phone: Annotated[str, typer.Option()] = "",
    admin: Annotated[str, typer.Option(help="Mails an invitation to its first person.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="All of it in YAML, as in guichet/demo.")
    ] = None,
) -> None:
    """Make a tenant; its portal answers within a second."""
    with told() as settings:
        facts = _facts(
            settings,
            file,
            {
                "slug": slug,
                "host": host or None,
                "name": name or slug,
                "brand": {"portal_name": portal or name or slug, "colour": colour},
                "support": {
                    "phone": support_phone,
                    "hours": {},
                    "mail": support_mail or f"support@{host or f'{slug}.{settings.base_domain}'}",
                },
            },
        )
        tenant = new_id()

        async def create(work: UnitOfWork) -> None:
            await create_tenant(work, facts)
            if admin:
                await invite_person(work, admin)

        on_service(settings, "identity", tenant, create)
        typer.echo(f"{facts.slug} {tenant} {facts.origin or settings.tenant_origin(facts.host)}")
        if admin:
            typer.echo("An invitation is on its way to the administrator.")


def _facts(settings: Settings, file: Path | None, given: dict[str, object]) -> TenantFacts:
    if file is None:
        return tenant_facts(given, settings)
    try:
        described = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        refuse(f"{file} can't be read: {error}")
    if not isinstance(described, dict):
        refuse(f"{file} describes no tenant: see guichet/demo/ypok/tenant.yaml.")
    inner = described.get("tenant", described)
    return tenant_facts({**inner, "slug": given["slug"]}, settings)


@tenant_app.command("list")
def tenant_list() -> None:
    """Every tenant: slug, state, id, address."""
    with told() as settings:
        for one in tenants(settings):
            facts = one.facts
            origin = facts.origin or settings.tenant_origin(facts.host)
            typer.echo(f"{facts.slug:24} {facts.state:10} {facts.tenant_id} {origin}")


@tenant_app.command("show")
def tenant_show(slug: Slug) -> None:
    """A tenant whole, as the services know it."""
    with told() as settings:
        tenant = tenant_id_of(settings, slug)
        [one] = [one for one in tenants(settings) if one.facts.tenant_id == tenant]
        shown = one.facts.model_dump(mode="json")
        typer.echo(yaml.safe_dump(shown, allow_unicode=True, sort_keys=False))


@tenant_app.command("suspend")
def tenant_suspend(slug: Slug) -> None:
    """Take a portal off the air: its pages say so, its mails are held."""
    with told() as settings:
        on_service(settings, "identity", tenant_id_of(settings, slug), suspend_tenant)
        typer.echo(f"{slug} is suspended.")


@tenant_app.command("resume")
def tenant_resume(slug: Slug) -> None:
    """Put a suspended portal back on the air."""
    with told() as settings:
        on_service(settings, "identity", tenant_id_of(settings, slug), resume_tenant)
        typer.echo(f"{slug} is active.")


@catalog_app.command("import")
def catalog_import(slug: Slug, file: Path) -> None:
    """Have a tenant offer what the file says, and nothing else."""
    with told() as settings:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            refuse(f"{file} can't be read: {error}")
        catalogue = read_catalogue(text)
        tenant = tenant_id_of(settings, slug)
        outcome = on_service(
            settings, "catalog", tenant, lambda work: import_catalogue(work, catalogue)
        )
        if outcome.without_effect:
            typer.echo("Nothing changed.")
        for verb, slugs in (
            ("new", outcome.new),
            ("changed", outcome.changed),
            ("retired", outcome.retired),
        ):
            for one in slugs:
                typer.echo(f"{verb:8} {one}")
        lacking = untranslated(text)
        if lacking:
            typer.echo(f"{len(lacking)} texts lack a translation: guichet catalog untranslated.")


@catalog_app.command("untranslated")
def catalog_untranslated(
    file: Path,
    language: Annotated[
        list[str] | None, typer.Option(help="One that every text should have; may be repeated.")
    ] = None,
) -> None:
    """List the texts of a catalogue's file that lack a language, with their lines."""
    with told():
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            refuse(f"{file} can't be read: {error}")
        read_catalogue(text)
        for one in untranslated(text, language or ()):
            typer.echo(str(one))


@catalog_app.command("schema")
def catalog_schema() -> None:
    """Print the JSON Schema of a catalogue's file, for editors."""
    typer.echo(schema_text(), nl=False)


@account_app.command("erase")
def account_erase(slug: Slug, username: str) -> None:
    """Erase an account and its person, here and in every service. It can't be undone."""
    with told() as settings:
        tenant = tenant_id_of(settings, slug)

        async def erase(work: UnitOfWork) -> UUID | None:
            account = await account_by_username(work.db, username)
            if account is not None:
                await erase_account(work, account)
            return account

        if on_service(settings, "identity", tenant, erase) is None:
            refuse(f"{slug} has no account with this identifier.")
        typer.echo("The account is erased.")
