"""Storing: a row for each of the service's handlers of an event, once, however often it comes."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.subscriptions import Subscription
from contracts.event import EVENTS, Envelope

STORE = text("""
    INSERT INTO inbox
        (tenant_id, id, handler, state, due_at, stored_at, concerned, envelope)
    SELECT tenant_id, id, handler, 'ready', :now, :now, concerned, envelope
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row
        (tenant_id uuid, id uuid, handler text, concerned uuid[], envelope jsonb)
    ORDER BY tenant_id, id, handler
    ON CONFLICT DO NOTHING
""")


class InboxStore:
    """A service's inbox as whoever brings events sees it."""

    def __init__(
        self,
        mover: AsyncEngine,
        subscriptions: Sequence[Subscription],
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._mover = mover
        self._stored = stored
        self._handlers: dict[str, list[str]] = {}
        for subscription in subscriptions:
            for event in subscription.events:
                self._handlers.setdefault(event.type_name(), []).append(subscription.name)

    @property
    def types(self) -> frozenset[str]:
        """The types of events that this service listens to."""
        return frozenset(self._handlers)

    async def store(self, envelopes: Sequence[Envelope]) -> None:
        """Insert what this service listens to, in one transaction; the rest is passed over."""
        rows = [
            {
                "tenant_id": str(envelope.tenant),
                "id": str(envelope.id),
                "handler": handler,
                "concerned": [str(subject) for subject in concerned(envelope)],
                "envelope": envelope.model_dump(mode="json"),
            }
            for envelope in envelopes
            for handler in self._handlers.get(envelope.type, ())
        ]
        if not rows:
            return
        await self._insert(rows)
        self._stored()

    async def _insert(self, rows: list[dict[str, Any]]) -> None:
        async with self._mover.begin() as connection:
            await connection.execute(STORE, {"rows": json.dumps(rows), "now": clock.now()})


def concerned(envelope: Envelope) -> list[str]:
    """The subject, then whom else the event speaks of, read without validating it.

    An event that can't be read must still reach the inbox, to be dead there.
    """
    fields = EVENTS[envelope.type].concerns_fields if envelope.type in EVENTS else ()
    others = (envelope.data.get(name) for name in fields)
    named = [str(envelope.subject), *(one for one in others if isinstance(one, str))]
    return list(dict.fromkeys(named))
