"""Host to tenant: a snapshot of identity's, kept current by `TenantChanged`.

Before the first snapshot nothing is known, which is not the same as unknown: the gateway answers
503 then. A host that nobody has is asked of identity once, and the refusal kept for five seconds.
"""

import time
from typing import Any
from uuid import UUID

import structlog

from chassis.subscriptions import Broadcast, broadcast
from contracts.event import Envelope
from contracts.identity import TenantChanged

log = structlog.get_logger()

UNKNOWN_FOR_S = 5.0
MOST_UNKNOWN = 10_000


class TenantsByHost:
    """The tenants of the installation, by host name."""

    def __init__(self, default_slug: str | None = None) -> None:
        self._default_slug = default_slug
        self._by_id: dict[UUID, tuple[tuple[int, int], TenantChanged]] = {}
        self._by_host: dict[str, UUID] = {}
        self._unknown: dict[str, float] = {}
        self.loaded = False

    def broadcasts(self) -> Broadcast:
        """What keeps the table current."""
        return broadcast(TenantChanged, self.hear)

    async def hear(self, envelope: Envelope) -> None:
        """A tenant as it now is."""
        event = envelope.event()
        assert isinstance(event, TenantChanged)
        self._keep(event, (envelope.epoch, envelope.version))

    def load(self, snapshot: list[dict[str, Any]]) -> None:
        """What identity holds; what a broadcast told meanwhile is newer and stays."""
        for entry in snapshot:
            version = (entry["epoch"], entry["version"])
            self._keep(TenantChanged.model_validate(entry), version)
        self.loaded = True

    def at(self, host: str) -> TenantChanged | None:
        """The tenant whose host this is; the default one, where the settings name it."""
        tenant_id = self._by_host.get(host)
        if tenant_id is not None:
            return self._by_id[tenant_id][1]
        if self._default_slug is not None:
            for _, tenant in self._by_id.values():
                if tenant.slug == self._default_slug:
                    return tenant
        return None

    def worth_asking(self, host: str) -> bool:
        """Was this unknown host not asked of identity just now?"""
        return self._unknown.get(host, 0.0) < time.monotonic()

    def note_unknown(self, host: str) -> None:
        """Identity knows no such host."""
        if len(self._unknown) >= MOST_UNKNOWN:
            self._unknown.clear()
        self._unknown[host] = time.monotonic() + UNKNOWN_FOR_S

    def _keep(self, tenant: TenantChanged, version: tuple[int, int]) -> None:
        known = self._by_id.get(tenant.tenant_id)
        if known is not None:
            if known[0] > version:
                return
            if self._by_host.get(known[1].host) == tenant.tenant_id:  # unless another has it now
                del self._by_host[known[1].host]
        self._by_id[tenant.tenant_id] = (version, tenant)
        self._by_host[tenant.host] = tenant.tenant_id
        self._unknown.pop(tenant.host, None)
