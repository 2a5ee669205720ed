"""Whose mails are claimed next: urgent ones first, tenants in turn, room kept for the others."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from services.notifier.delivery.mails import Key
from services.notifier.domain.kinds import Priority

FIRST_TENANT = UUID(int=0)

ROOM = {Priority.WAITED_FOR: 1, Priority.AWAITED: 4, Priority.TOLD: 8}
"""Of a claim, each priority may have what the former left, and this part of it at the least."""

ClaimAfter = Callable[[Priority, UUID, datetime, int, int], Awaitable[list[Key]]]
"""Leases due mails of one priority, of tenants after one: up to so many, and so many of each."""


class Turns:
    """One holder's turns: for each priority, the tenant at which it goes on."""

    def __init__(self, claim_after: ClaimAfter) -> None:
        self._claim_after = claim_after
        self._cursors = dict.fromkeys(Priority, FIRST_TENANT)

    async def claim(self, now: datetime, *, most: int, each: int) -> list[Key]:
        """Lease about `most` due mails, `each` of one tenant, going on where the last one ended."""
        found: list[Key] = []
        for priority, part in ROOM.items():
            room = max(most - len(found), -(-most // part))
            found += await self._claim(priority, now, room, each)
        return found

    async def _claim(self, priority: Priority, now: datetime, most: int, each: int) -> list[Key]:
        for start in dict.fromkeys((self._cursors[priority], FIRST_TENANT)):
            keys = await self._claim_after(priority, start, now, most, each)
            full = len(keys) == most
            self._cursors[priority] = max(key.tenant for key in keys) if full else FIRST_TENANT
            if keys:
                return keys
        return []
