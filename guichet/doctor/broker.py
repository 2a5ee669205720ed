"""Where the parts are apart: does the broker take us, and has it every service's queue?"""

import asyncio
from collections.abc import Sequence

import aio_pika
from aio_pika.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ChannelNotFoundEntity,
    ProbableAuthenticationError,
)
from yarl import URL

from chassis.rabbit.topology import topology_of
from guichet.doctor.finding import Finding, Place
from guichet.parts import SERVICES

CHECK = "broker"
WITHIN_S = 10.0


async def look(place: Place) -> Sequence[Finding]:
    """Each node by itself; the queues, which all nodes share, by the first that takes us."""
    findings: list[Finding] = []
    looked = False
    for url in place.settings.rabbitmq_urls:
        where = f"{URL(url).host}:{URL(url).port or 5672}"
        try:
            async with asyncio.timeout(WITHIN_S):
                connection = await aio_pika.connect(url)
                async with connection:
                    findings += [] if looked else await _queues(place, connection)
                    looked = True
        except (AuthenticationError, ProbableAuthenticationError):
            findings.append(
                Finding(
                    CHECK,
                    f"The broker {where} refuses the user or password that the settings name.",
                    "Correct GUICHET_RABBITMQ_URLS, or give the user its password and rights on the"
                    " virtual host (rabbitmqctl change_password, set_permissions).",
                )
            )
        except (AMQPConnectionError, OSError) as error:
            findings.append(
                Finding(
                    CHECK,
                    f"The broker {where} does not answer ({type(error).__name__}).",
                    "Start it, let this machine through to it, or correct GUICHET_RABBITMQ_URLS."
                    " Events wait in the outboxes meanwhile.",
                )
            )
    return findings


async def _queues(place: Place, connection: aio_pika.abc.AbstractConnection) -> Sequence[Finding]:
    findings = []
    topology = topology_of(SERVICES.values(), place.settings.database_prefix)
    for service in SERVICES:
        name = topology.queue_of(service)
        channel = await connection.channel()
        try:
            await channel.declare_queue(name, passive=True)
        except ChannelNotFoundEntity:
            findings.append(
                Finding(
                    CHECK,
                    f"The queue {name} is missing at the broker.",
                    "Start any part again: whoever publishes declares what is missing, and sends"
                    " again what waits in its outbox.",
                )
            )
        else:
            await channel.close()
    return findings
