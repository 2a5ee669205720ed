"""The demo: two tenants with their catalogues and accounts, loaded by the services' own verbs.

Ids are fixed in `guichet/demo/<tenant>/`, so loading it again is without effect. Passwords are made
at the first start and stand in `demo.txt` (0600) in the data folder.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from chassis.settings import Settings
from chassis.work import Database
from services.catalog.importing.import_catalogue import ImportOutcome, import_catalogue
from services.catalog.importing.read_catalogue import read_catalogue
from services.identity.accounts.create_account import NewAccount, create_account
from services.identity.domain.tenants import TenantFacts
from services.identity.hashing import hashed
from services.identity.people import OrganisationFacts, PersonFacts
from services.identity.tenants.create_tenant import create_tenant

DEMOS = ("ypok", "clearbrook")
"""The demo's tenants, each a folder of `guichet/demo/`: of two trades, with two first languages."""

DEMO = DEMOS[0]
PASSWORDS = "demo.txt"

ROLE_NAMES = {"customer": "a customer", "agent": "the support team", "administrator": "its manager"}


@dataclass(frozen=True)
class DemoAccount:
    """How to sign in to a demo tenant."""

    tenant: str  # its slug
    username: str
    password: str
    role: str
    address: str


def demo_file(slug: str, name: str) -> str:
    """A file of a demo tenant."""
    return (resources.files("guichet") / "demo" / slug / name).read_text("utf-8")


async def load_demos(
    settings: Settings, databases: Mapping[str, Database], folder: Path
) -> list[DemoAccount]:
    """Make the demo tenants, unless they are there. Answers their accounts with passwords.

    `databases` by service: identity's and the catalog's are written to.
    """
    return [
        account for slug in DEMOS for account in await load_demo(settings, databases, folder, slug)
    ]


async def load_demo(
    settings: Settings, databases: Mapping[str, Database], folder: Path, slug: str
) -> list[DemoAccount]:
    """Make this demo tenant, unless it is there. Answers its accounts with their passwords."""
    described = yaml.safe_load(demo_file(slug, "tenant.yaml"))
    tenant = UUID(described["tenant_id"])
    facts = tenant_facts(described["tenant"], settings)
    database = databases["identity"]
    async with database.begin(tenant) as work:
        await create_tenant(work, facts)
    await load_catalogue(databases["catalog"], tenant, slug)
    passwords = kept_passwords(
        folder / PASSWORDS, [one["username"] for one in described["accounts"]]
    )
    organisations = {one["organisation_id"]: one for one in described["organisations"]}
    accounts = []
    for one in described["accounts"]:
        password = passwords[one["username"]]
        new = _account(one, organisations[one["organisation_id"]], await hashed(password))
        async with database.begin(tenant) as work:
            await create_account(work, new)
        role = next(ROLE_NAMES[role] for role in one["roles"] if role in ROLE_NAMES)
        accounts.append(DemoAccount(slug, one["username"], password, role, one["address"]))
    return accounts


async def load_catalogue(database: Database, tenant: UUID, slug: str) -> ImportOutcome:
    """Have a tenant offer a demo's catalogue."""
    catalogue = read_catalogue(demo_file(slug, "catalogue.yaml"))
    async with database.begin(tenant) as work:
        return await import_catalogue(work, catalogue)


def tenant_facts(described: dict[str, Any], settings: Settings) -> TenantFacts:
    """The tenant as a file describes it; its host is built from its slug where none is given."""
    host = described.get("host") or f"{described['slug']}.{settings.base_domain}"
    return TenantFacts.model_validate({**described, "host": host})


def kept_passwords(path: Path, usernames: list[str]) -> dict[str, str]:
    """The demo's passwords by identifier, made where the file does not hold them yet."""
    kept: dict[str, str] = {}
    if path.exists():
        pairs = (line.split() for line in path.read_text("utf-8").splitlines())
        kept = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    fresh = {name: secrets.token_urlsafe(12) for name in usernames if name not in kept}
    if fresh:
        kept.update(fresh)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{name} {password}\n" for name, password in kept.items())
            file.flush()
            os.fsync(file.fileno())
    return kept


def _account(one: dict[str, Any], organisation: dict[str, Any], password_hash: str) -> NewAccount:
    return NewAccount(
        account_id=UUID(one["account_id"]),
        person_id=UUID(one["person_id"]),
        organisation_id=UUID(one["organisation_id"]),
        organisation=OrganisationFacts(
            organisation["name"], organisation["city"], organisation["postcode"]
        ),
        person=PersonFacts(
            one["title"], one["birth_name"], one["first_name"], one["address"], one["language"]
        ),
        username=one["username"],
        password_hash=password_hash,
        roles=tuple(one["roles"]),
        terms_number=None,
    )
