"""Cookie to principal: identity's answers, kept for a minute and dropped when revoked.

A revocation leaves a tombstone for two minutes, so that a look-up in flight can't bring the session
back; what is asked after it was heard is answered by a database that knows of it. Whose profile
changed is asked for again, so that a new name or language shows at once.

While identity is away a known session serves for ten minutes at most, and only where revocations
are heard. Where they are not, nothing is older than the minute; once they are heard again all is
asked anew, since what was revoked in between was told to nobody here.
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
from contracts.identity import ProfileChanged, SessionRevoked

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

    def __init__(self, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._hears = True
        self._hears_since = 0.0
        self._known: OrderedDict[tuple[UUID, str], Known] = OrderedDict()
        self._revoked: dict[UUID, float] = {}  # when that was heard
        self._changed: dict[UUID, float] = {}  # the same of people's profiles

    def broadcasts(self) -> Broadcast:
        """What drops sessions that were ended, and those whose person is not as they were."""
        return broadcast(
            (SessionRevoked, ProfileChanged), self.hear, joined=self.joined, lost=self.lost
        )

    async def joined(self) -> None:
        """Revocations are heard from here on: what was looked up before may be revoked."""
        self._known.clear()
        self._hears, self._hears_since = True, time.monotonic()

    def lost(self) -> None:
        """Revocations are not heard any more."""
        self._hears = False

    async def hear(self, envelope: Envelope) -> None:
        """A session, an account's or a tenant's ended; or a person changed."""
        event = envelope.event()
        now = time.monotonic()
        if isinstance(event, ProfileChanged):
            self._changed = _with(self._changed, event.person_id, now)
            return
        assert isinstance(event, SessionRevoked)
        self._revoked = _with(self._revoked, event.scope_id, now)
        for key in [key for key, known in self._known.items() if self._is_revoked(known)]:
            del self._known[key]

    def fresh(self, tenant: UUID, cookie: str) -> Principal | None:
        """The principal, if it was looked up within the last minute and is as it was."""
        known = self._within(tenant, cookie, self._fresh_s)
        return None if known is None or self._is_outdated(known) else known.principal

    def stale(self, tenant: UUID, cookie: str) -> Principal | None:
        """The principal as last known, for while identity is away; of a minute ago at most where
        revocations are not heard."""
        known = self._within(tenant, cookie, STALE_S if self._hears else self._fresh_s)
        return None if known is None else known.principal

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
            language=answer.get("language", ""),  # an identity of the release before is silent
        )
        known = Known(principal, tenant, asked_at)
        if self._is_revoked(known):
            return None
        if asked_at < self._hears_since:
            return principal  # for this once: what was told since the question was not heard
        key = (tenant, _hash(cookie))
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return principal

    def _within(self, tenant: UUID, cookie: str, seconds: float) -> Known | None:
        known = self._known.get((tenant, _hash(cookie)))
        if known is None or time.monotonic() - known.asked_at > seconds:
            return None
        return known

    def _is_outdated(self, known: Known) -> bool:
        """Did the person change since the question was put?"""
        who = known.principal.person_id
        return who in self._changed and self._changed[who] >= known.asked_at

    def _is_revoked(self, known: Known) -> bool:
        """Did it end, or one of what it belongs to, since the question was put?"""
        who = known.principal
        scopes = (who.session_id, who.account_id, known.tenant)
        return any(
            self._revoked[scope] >= known.asked_at for scope in scopes if scope in self._revoked
        )


def _with(heard: dict[UUID, float], id: UUID, now: float) -> dict[UUID, float]:
    """What was heard lately, and this."""
    return {**{one: at for one, at in heard.items() if now - at <= TOMBSTONE_S}, id: now}


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
