"""Host to tenant: a snapshot of identity's, kept current by `TenantChanged`.

Before the first snapshot nothing is known, which is not the same as unknown: the gateway answers
503 then. A host that nobody has is asked of identity once, and the refusal kept for five seconds.
While changes are not heard the snapshot is asked for again each minute.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog

from chassis.subscriptions import Broadcast, broadcast
from contracts.event import Envelope
from contracts.identity import TenantChanged

log = structlog.get_logger()

UNKNOWN_FOR_S = 5.0
MOST_UNKNOWN = 10_000
RELOADED_EVERY_S = 60.0
ASKED_AGAIN_S = (0.2, 5.0)
"""A snapshot that was not to be had is asked for again: after so long at first, and at last."""


class TenantsByHost:
    """The tenants of the installation, by host name."""

    def __init__(
        self, default_slug: str | None = None, reloaded_every_s: float = RELOADED_EVERY_S
    ) -> None:
        self._default_slug = default_slug
        self._reloaded_every_s = reloaded_every_s
        self._hears = True
        self._reload = asyncio.Event()
        self._by_id: dict[UUID, tuple[tuple[int, int], TenantChanged]] = {}
        self._by_host: dict[str, UUID] = {}
        self._unknown: dict[str, float] = {}
        self.loaded = False

    def broadcasts(self) -> Broadcast:
        """What keeps the table current."""
        return broadcast(TenantChanged, self.hear, joined=self.joined, lost=self.lost)

    async def joined(self) -> None:
        """Changes are heard from here on: those before are in the next snapshot."""
        self._hears = True
        self._reload.set()

    def lost(self) -> None:
        """Changes are not heard any more."""
        self._hears = False
        self._reload.set()

    async def keep_loaded(
        self, load: Callable[[], Awaitable[None]], stopping: asyncio.Event
    ) -> None:
        """Have `load` bring a snapshot at first, whenever changes may have been missed, and again
        and again while they are not heard; for as long as it takes where identity is away.
        """
        pause_s = ASKED_AGAIN_S[0]
        while not stopping.is_set():
            self._reload.clear()
            try:
                await load()
            except Exception as error:
                log.warning("tenants_not_loaded", cause=type(error).__name__, retry_s=pause_s)
                await _first_of(pause_s, stopping)
                pause_s = min(pause_s * 2, ASKED_AGAIN_S[1])
                continue
            pause_s = ASKED_AGAIN_S[0]
            await _first_of(None if self._hears else self._reloaded_every_s, stopping, self._reload)

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

    def name(self, tenant_id: UUID) -> str:
        """What the tenant is called; its id, where nothing was told of it."""
        known = self._by_id.get(tenant_id)
        return known[1].name if known is not None else str(tenant_id)

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


async def _first_of(within_s: float | None, *events: asyncio.Event) -> None:
    """Wait for one of the events, at most so long."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
