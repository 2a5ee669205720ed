"""Tenants of the whole installation, by the two functions that look beyond one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import TenantChanged
from services.identity.domain.tenants import told

ALL = text("SELECT * FROM all_tenants()").columns(facts=JSONB, terms_text=JSONB)
BY_HOST = text("SELECT * FROM tenant_by_host(:host)").columns(facts=JSONB, terms_text=JSONB)


@dataclass(frozen=True)
class ToldTenant:
    """A tenant as it is told, and the version of its row."""

    facts: TenantChanged
    version: int


async def all_tenants(db: AsyncSession) -> list[ToldTenant]:
    """Every tenant, by slug."""
    return [_told(row) for row in await db.execute(ALL)]


async def tenant_by_host(db: AsyncSession, host: str) -> ToldTenant | None:
    """The tenant that is reached by this normalised host, or None."""
    found = await db.execute(BY_HOST, {"host": host})
    row = found.first()
    return None if row is None else _told(row)


def _told(row: Row[Any]) -> ToldTenant:
    facts = dict(row._mapping)
    version = facts.pop("version")
    return ToldTenant(told(**facts), version)
