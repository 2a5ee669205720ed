"""What the gateway asks of tenants: the snapshot that its table starts from, and one by host."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from chassis.access import PARTS
from chassis.app import HTTPRequest, Opening
from chassis.runtime import Runtime
from services.identity.domain.tenants import UnknownTenant, normalised_host
from services.identity.tenants.queries import ToldTenant, all_tenants, tenant_by_host

api = APIRouter()


class WantedHost(BaseModel):
    """Whose host is this?"""

    host: str


@api.get("/internal/tenants", dependencies=[PARTS])
async def get_tenants(http: HTTPRequest, begin: Opening) -> dict[str, Any]:
    """Every tenant as `TenantChanged` tells it, with version and epoch."""
    epoch = await _epoch(http)
    async with begin() as work:
        tenants = await all_tenants(work.db)
    return {"tenants": [_as_json(one, epoch) for one in tenants]}


@api.post("/internal/tenants/by-host", dependencies=[PARTS])
async def look_up_host(http: HTTPRequest, wanted: WantedHost, begin: Opening) -> dict[str, Any]:
    """That tenant, or 404."""
    try:
        host = normalised_host(wanted.host)
    except ValueError as error:
        raise UnknownTenant from error
    epoch = await _epoch(http)
    async with begin() as work:
        tenant = await tenant_by_host(work.db, host)
    if tenant is None:
        raise UnknownTenant
    return _as_json(tenant, epoch)


async def _epoch(http: HTTPRequest) -> int:
    runtime: Runtime = http.app.state.runtime
    return await runtime.database.load_epoch()


def _as_json(tenant: ToldTenant, epoch: int) -> dict[str, Any]:
    return {
        **tenant.facts.model_dump(mode="json"),
        "version": tenant.version,
        "epoch": epoch,
    }
