"""Connections to the broker's nodes: each step bounded, and given up when a node falls silent.

A plain connection of aio-pika, none of its robust ones: those open channels again and say nothing
of what was lost between. Whoever had a connection that is lost asks for another, and begins anew.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from yarl import URL

from chassis.rabbit.losses import told_as_losses

log = structlog.get_logger()

# What these log of a message that they can't place holds its words; what matters, we log.
for library in ("aio_pika", "aiormq"):
    logging.getLogger(library).setLevel(logging.CRITICAL)

HEARTBEAT_S = 3
"""aiormq gives up after 3 x (heartbeat + 1) s without a byte: 12 s, looked at every second."""
CONNECT_S = 5.0
CLOSE_S = 2.0


class Unreachable(Exception):
    """No node of the broker answered."""


class Connection:
    """A connection to a node. `lost` is set when it is over, for whatever reason."""

    def __init__(self, url: str, name: str) -> None:
        self.lost = asyncio.Event()
        self._writers = _Writers()
        self._connection = aio_pika.Connection(
            URL(url).update_query(heartbeat=HEARTBEAT_S),
            client_properties={"connection_name": name},
        )
        self._connection.kwargs["transport_factory"] = self._writers
        self._connection.close_callbacks.add(lambda *_: self.lost.set())

    async def open(self) -> None:
        """Connect. Raises what goes wrong, within the time, leaving nothing behind."""
        try:
            with told_as_losses():
                async with asyncio.timeout(CONNECT_S):
                    await self._connection.connect()
        except BaseException:
            self._writers.abort()
            raise

    async def channel(self, *, confirms: bool = False) -> AbstractChannel:
        """A new channel; with confirms, what can't be routed raises."""
        with told_as_losses():
            async with asyncio.timeout(CONNECT_S):
                channel = self._connection.channel(
                    publisher_confirms=confirms, on_return_raises=confirms
                )
                await channel.initialize()
                return channel

    async def close(self) -> None:
        """Take leave of the broker, or go without where it does not answer."""
        await self._leave()
        self._writers.abort()

    async def give_up(self) -> None:
        """Cut it: what is under way on it fails at once, and its end is unknown."""
        self.lost.set()
        self._writers.abort()
        await self._leave()

    async def _leave(self) -> None:
        try:
            with told_as_losses():
                async with asyncio.timeout(CLOSE_S):
                    await self._connection.close()
        except Exception as error:  # it is over, whatever it says of that
            log.debug("broker_left", error=type(error).__name__)


class Nodes:
    """The broker's nodes: whoever loses one goes on with the next."""

    def __init__(self, urls: Sequence[str], name: str) -> None:
        if not urls:
            raise ValueError("no node of the broker is named: set GUICHET_RABBITMQ_URLS")
        self._urls = tuple(urls)
        self._name = name
        self._next = 0

    async def connect(self) -> Connection:
        """To the first that answers, after the one that was used last. Raises Unreachable."""
        for _ in self._urls:
            url = self._urls[self._next % len(self._urls)]
            self._next += 1
            connection = Connection(url, self._name)
            try:
                await connection.open()
            except Exception as error:  # of the network, of TLS, of the protocol: the next, then
                log.info("broker_node_away", host=URL(url).host, error=type(error).__name__)
            else:
                return connection
        raise Unreachable


class Pause:
    """How long to wait before the next try: longer each time, with jitter, up to a bound."""

    FIRST_S = 0.2
    LONGEST_S = 5.0

    def __init__(self) -> None:
        self._next_s = self.FIRST_S

    def reset(self) -> None:
        """It went well: the next pause is a short one."""
        self._next_s = self.FIRST_S

    async def wait(self, until: asyncio.Event) -> None:
        """Pause, but no longer than until the event is set."""
        seconds = self._next_s * random.uniform(0.5, 1)
        self._next_s = min(self._next_s * 2, self.LONGEST_S)
        try:
            async with asyncio.timeout(seconds):
                await until.wait()
        except TimeoutError:
            pass


class _Writers(TransportFactory):
    """Connects as aiormq does, and keeps what can be cut."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self._writer = await factory.create(url, **kwargs)
        return reader, self._writer

    def abort(self) -> None:
        """Close without waiting for what the other side never takes."""
        if self._writer is not None:
            self._writer.transport.abort()
