"""What carries events from an outbox to the inboxes: the interface, and the embedded way."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from chassis.inbox.store import InboxStore
from chassis.subscriptions import Broadcast
from contracts.event import Envelope

log = structlog.get_logger()


class Bus(Protocol):
    """Carries events. Returns once every durable subscriber has them for good, else raises."""

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Hand the envelopes on. After an exception their fate is unknown: send them again.

        With none, it is asked whether it would carry some.
        """


class EmbeddedBus:
    """All services in one process: rows go straight to the subscribers' inboxes."""

    def __init__(self) -> None:
        self._inboxes: list[InboxStore] = []
        self._broadcasts: list[Broadcast] = []

    def subscribe(self, inbox: InboxStore) -> None:
        """Have a service's inbox filled from now on."""
        self._inboxes.append(inbox)

    def listen(self, broadcast: Broadcast) -> None:
        """Have a cache's callback called from now on."""
        self._broadcasts.append(broadcast)

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Insert into the inboxes, each in a transaction, then call the caches."""
        for inbox in self._inboxes:
            await inbox.store(envelopes)
        for envelope in envelopes:
            for broadcast in self._broadcasts:
                if any(envelope.type == event.type_name() for event in broadcast.events):
                    try:
                        await broadcast.callback(envelope)
                    except Exception:
                        log.exception("broadcast_failed", type=envelope.type)
