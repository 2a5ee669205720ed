"""What must exist at the broker, generated from all subscriptions.

Each service has a queue, and each event comes there as a copy of its own, sent straight to it: that
another service's queue has an event says nothing of this one's, so no confirm does for two. The
exchange is for those who listen while they are up: caches, and operators who look on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from pamqp.common import FieldTable

from chassis.service import Service

VERSION = "v1"
"""Of the arguments below. A queue can't change its own: with others, it gets another name."""

DELIVERIES = 1000
"""A message that came back as often is put aside. Consumers only store, so what ends them is no
message; but each connection that breaks counts, and a flapping network must not lose what waits."""


@dataclass(frozen=True)
class Topology:
    """Names, and who keeps what."""

    prefix: str
    kept: Mapping[str, frozenset[str]]
    """By service, the types of events that its inbox keeps."""
    heard: frozenset[str] | None = None
    """The types that are told to those who listen; none: all."""

    @property
    def exchange(self) -> str:
        """Tells those who listen; topic, keys are the types of events."""
        return f"{self.prefix}.events"

    @property
    def undecodable_exchange(self) -> str:
        """Takes what no consumer could read."""
        return f"{self.prefix}.undecodable"

    @property
    def undecodable_queue(self) -> str:
        """Keeps what no consumer could read, for operators."""
        return f"{self.undecodable_exchange}.{VERSION}"

    def queue_of(self, service: str) -> str:
        """The service's queue."""
        return f"{self.prefix}.{service}.{VERSION}"

    @cached_property
    def mandatory(self) -> frozenset[str]:
        """The types that some service keeps."""
        return frozenset().union(*self.kept.values())

    @cached_property
    def queues(self) -> Mapping[str, tuple[str, ...]]:
        """By type, the queues that must have it before it is published."""
        return {
            type_name: tuple(
                self.queue_of(service)
                for service, types in sorted(self.kept.items())
                if type_name in types
            )
            for type_name in self.mandatory
        }

    def is_heard(self, type_name: str) -> bool:
        """Is it told to those who listen?"""
        return self.heard is None or type_name in self.heard


def topology_of(
    services: Iterable[Service], prefix: str, heard: Iterable[str] | None = None
) -> Topology:
    """What these services need. Installations that share a broker differ in their prefix.

    `heard` names the types that caches listen to; without it every event is told to all.
    """
    kept = {
        service.name: frozenset(
            event.type_name()
            for subscription in service.subscriptions
            for event in subscription.events
        )
        for service in services
    }
    return Topology(prefix, kept, None if heard is None else frozenset(heard))


async def declare(channel: AbstractChannel, topology: Topology) -> None:
    """Make whatever is missing. Raises if something has our name and other arguments.

    All of it in any part: whoever starts first, events find the queues of those who start later.
    """
    await channel.declare_exchange(topology.exchange, ExchangeType.TOPIC, durable=True)
    aside = await channel.declare_exchange(
        topology.undecodable_exchange, ExchangeType.FANOUT, durable=True
    )
    undecodable = await channel.declare_queue(
        topology.undecodable_queue, durable=True, arguments={"x-queue-type": "quorum"}
    )
    await undecodable.bind(aside)
    for service in sorted(topology.kept):
        await channel.declare_queue(
            topology.queue_of(service), durable=True, arguments=arguments(topology)
        )


def arguments(topology: Topology) -> FieldTable:
    """A service queue's: those alone that RabbitMQ knows from 3.10 to 4.x.

    What is put aside leaves its queue once the other queue has it (`at-least-once`, which wants
    `reject-publish`); without a length limit, that refuses nothing.
    """
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERIES,
        "x-dead-letter-exchange": topology.undecodable_exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
