"""What the parts tell an operator of themselves, asked of all at once; one that is away is told so.

Each is asked with the operator's own token, so each judges by itself whether they are one.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import structlog
from pydantic import AwareDatetime, BaseModel, ValidationError

from chassis.principals import TOKEN_HEADER
from gateway.upstream import PartAway, Upstream, ask

log = structlog.get_logger()

WITHIN_S = 3.0
"""A part asks its database for two seconds at most (`chassis.depths`), and is given one to tell."""


class Wait(BaseModel):
    """How many wait, and how long the first of them does."""

    size: int
    age_s: float


class TenantWait(Wait):
    """The same of one tenant."""

    tenant: UUID


class DeadEvent(BaseModel):
    """An event that a handler could not handle."""

    tenant: UUID
    id: UUID
    handler: str
    type: str
    attempts: int
    error: str
    stored_at: AwareDatetime


class Act(BaseModel):
    """What an operator did."""

    tenant: UUID
    done_at: AwareDatetime
    done_by: str
    act: str
    event_id: UUID
    handler: str
    type: str
    error: str | None


class Report(BaseModel):
    """What a part tells of itself; what a newer one tells besides is passed over."""

    looked_at: AwareDatetime
    degraded: dict[str, str]
    outbox: Wait
    inbox: Wait
    retrying: int
    awaiting: int
    dead: int
    queues: dict[str, list[TenantWait]]
    dead_events: list[DeadEvent]
    acts: list[Act]


class Health(BaseModel):
    """What a part says of itself to whoever asks whether it is ready."""

    degraded: dict[str, str] = {}


@dataclass(frozen=True)
class Key:
    """Which dead event, of which part."""

    part: str
    tenant: UUID
    event: UUID
    handler: str

    @property
    def path(self) -> str:
        """As addresses name it, behind the part."""
        return f"{self.tenant}/{self.event}/{quote(self.handler, safe='')}"


@dataclass(frozen=True)
class Asking:
    """How the parts are asked, for one operator's HTTP request."""

    upstream: Upstream
    token: Callable[[str], str]  # for a part
    traceparent: str

    async def reports(self, parts: Sequence[str]) -> dict[str, Report | None]:
        """By part what it tells; None of one that does not answer, or not so as to be read."""
        told = await asyncio.gather(*(self._report(part) for part in parts))
        return dict(zip(parts, told, strict=True))

    async def healths(self, parts: Sequence[str]) -> dict[str, Health | None]:
        """By part how it is; None of one that does not answer, or is not ready."""
        told = await asyncio.gather(*(self._health(part) for part in parts))
        return dict(zip(parts, told, strict=True))

    async def dead_event(self, key: Key) -> DeadEvent | None:
        """The event; None where it is dead no more. Raises PartAway."""
        status, facts = await self._ask(key.part, "GET", f"/internal/ops/dead/{key.path}")
        return DeadEvent.model_validate(facts) if status == 200 else None

    async def act(self, key: Key, act: str) -> bool:
        """Replay or discard; False where it is dead no more. Raises PartAway: then nobody knows."""
        path = f"/internal/ops/dead/{key.path}/{act}"
        status, _ = await self._ask(key.part, "POST", path, changes=True)
        return status == 200

    async def _report(self, part: str) -> Report | None:
        try:
            status, facts = await self._ask(part, "GET", "/internal/ops")
            return Report.model_validate(facts) if status == 200 else None
        except PartAway:
            return None
        except ValidationError:
            log.warning("report_unread", part=part)
            return None

    async def _health(self, part: str) -> Health | None:
        try:
            status, facts = await ask(self.upstream, part, "GET", "/readyz", [], within_s=WITHIN_S)
            return Health.model_validate(facts) if status == 200 else None
        except PartAway:
            return None
        except ValidationError:
            log.warning("health_unread", part=part)
            return None

    async def _ask(
        self, part: str, method: str, path: str, *, changes: bool = False
    ) -> tuple[int, Any]:
        headers = [
            (TOKEN_HEADER.encode(), self.token(part).encode()),
            (b"traceparent", self.traceparent.encode()),
        ]
        return await ask(
            self.upstream, part, method, path, headers, changes=changes, within_s=WITHIN_S
        )
