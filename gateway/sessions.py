"""Cookie to principal: identity's answers, kept for a minute and dropped when revoked.

A revocation leaves a tombstone for two minutes, so that a look-up in flight can't bring the session
back; what is asked after it was heard is answered by a database that knows of it. While identity is
away a known session serves for ten minutes at most.
"""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.principals import Principal
from chassis.subscriptions import Broadcast, broadcast
from contracts.event import Envelope
from contracts.identity import SessionRevoked

FRESH_S = 60.0
STALE_S = 600.0
TOMBSTONE_S = 120.0
MOST = 50_000


@dataclass(frozen=True)
class Known:
    """A look-up's answer and when it was given."""

    principal: Principal
    tenant: UUID
    asked_at: float


class Sessions:
    """Sessions by tenant and the hash of their cookie."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, str], Known] = OrderedDict()
        self._revoked: dict[UUID, float] = {}  # when that was heard

    def broadcasts(self) -> Broadcast:
        """What drops sessions that were ended."""
        return broadcast(SessionRevoked, self.hear)

    async def hear(self, envelope: Envelope) -> None:
        """A session, an account's or a tenant's ended."""
        event = envelope.event()
        assert isinstance(event, SessionRevoked)
        now = time.monotonic()
        self._revoked = {
            id: heard_at for id, heard_at in self._revoked.items() if now - heard_at <= TOMBSTONE_S
        }
        self._revoked[event.scope_id] = now
        for key in [key for key, known in self._known.items() if self._is_revoked(known)]:
            del self._known[key]

    def fresh(self, tenant: UUID, cookie: str) -> Principal | None:
        """The principal, if it was looked up within the last minute."""
        return self._within(tenant, cookie, FRESH_S)

    def stale(self, tenant: UUID, cookie: str) -> Principal | None:
        """The principal as last known, for while identity is away."""
        return self._within(tenant, cookie, STALE_S)

    def keep(
        self, tenant: UUID, cookie: str, answer: dict[str, Any], asked_at: float
    ) -> Principal | None:
        """Keep identity's answer to a question put at `asked_at`; None if revoked meanwhile."""
        principal = Principal(
            kind="person",
            account_id=UUID(answer["account_id"]),
            person_id=UUID(answer["person_id"]),
            organisation_id=UUID(answer["organisation_id"]) if answer["organisation_id"] else None,
            session_id=UUID(answer["session_id"]),
            roles=frozenset(answer["roles"]),
            display_name=answer["display_name"],
        )
        known = Known(principal, tenant, asked_at)
        if self._is_revoked(known):
            return None
        key = (tenant, _hash(cookie))
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return principal

    def _within(self, tenant: UUID, cookie: str, seconds: float) -> Principal | None:
        known = self._known.get((tenant, _hash(cookie)))
        if known is None or time.monotonic() - known.asked_at > seconds:
            return None
        return known.principal

    def _is_revoked(self, known: Known) -> bool:
        """Did it end, or one of what it belongs to, since the question was put?"""
        who = known.principal
        scopes = (who.session_id, who.account_id, known.tenant)
        return any(
            self._revoked[scope] >= known.asked_at for scope in scopes if scope in self._revoked
        )


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
