"""`guichet operator create`: who looks after the installation, in a tenant of its own.

Operators' accounts stand in the tenant `platform`, at a host of its own, so that none of a portal's
people is ever one, whatever roles that portal gives.
"""

from typing import Annotated

import typer

from chassis.principals import OPERATOR
from chassis.settings import Settings
from chassis.tenants import PLATFORM
from chassis.work import UnitOfWork
from guichet.beside import on_service
from guichet.demo_data import tenant_facts
from guichet.refusals import told
from services.identity.accounts.invite_person import invite_person
from services.identity.domain.tenants import TenantFacts
from services.identity.tenants.create_tenant import create_tenant

operator_app = typer.Typer(no_args_is_help=True, help="Who looks after the installation.")

SLUG = "platform"
HOST = "ops"  # under the base domain
COLOUR = "#0f6674"  # Guichet's own, unlike a tenant's


@operator_app.callback()
def operators() -> None:
    """Who looks after the installation."""


@operator_app.command("create")
def create(
    address: Annotated[str, typer.Argument(help="Where the invitation is mailed.")],
) -> None:
    """Invite an operator. The first one's invitation makes the operators' host."""
    with told() as settings:
        facts = platform_facts(settings)

        async def invite(work: UnitOfWork) -> None:
            await create_tenant(work, facts)
            await invite_person(work, address, roles=(OPERATOR,))

        on_service(settings, "identity", PLATFORM, invite)
        typer.echo(f"An invitation is on its way: {settings.tenant_origin(facts.host)}")


def platform_facts(settings: Settings) -> TenantFacts:
    """The operators' tenant."""
    host = f"{HOST}.{settings.base_domain}"
    return tenant_facts(
        {
            "slug": SLUG,
            "host": host,
            "name": "Guichet",
            "brand": {"portal_name": "Guichet", "colour": COLOUR},
            "languages": ["fr", "en"],
            "support": {"phone": "", "hours": {}, "mail": f"operators@{host}"},
        },
        settings,
    )
