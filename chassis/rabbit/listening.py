"""What a process's caches hear: a queue of its own, which is gone when the process is.

A cache that begins to hear loads its snapshot while what is told is kept for it, then is handed
that. When hearing is interrupted it is told so at once, and begins anew afterwards.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from chassis.rabbit.connection import Connection, Nodes, Pause
from chassis.rabbit.losses import told_as_losses
from chassis.rabbit.messages import Undecodable, envelope_of
from chassis.rabbit.reading import Interrupted, reading
from chassis.rabbit.standing import stand
from chassis.rabbit.topology import Topology
from chassis.subscriptions import Broadcast
from contracts.event import Envelope

log = structlog.get_logger()

KEPT = 10_000
"""What is kept for a cache that is loading, or slow; beyond, it begins anew."""


class Listener:
    """Hears for one process. Its broadcasts are known before it runs."""

    DECLARE_S = 5.0

    def __init__(
        self,
        urls: Sequence[str],
        topology: Topology,
        broadcasts: Sequence[Broadcast],
        name: str = "listener",
    ) -> None:
        self._nodes = Nodes(urls, name)
        self._topology = topology
        self._broadcasts = tuple(broadcasts)
        self._types = sorted({e.type_name() for one in broadcasts for e in one.events})
        untold = [one for one in self._types if not topology.is_heard(one)]
        if untold:
            raise ValueError(f"nobody is told of {', '.join(untold)}: see topology_of")
        self.is_up = False
        """Does it hear? Caches may still be loading."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Hear until stopped, whatever becomes of the broker."""
        pause = Pause()
        while not stopping.is_set():
            try:
                connection = await self._nodes.connect()
                try:
                    with told_as_losses():
                        await self._hear(connection, stopping, pause)
                finally:
                    await connection.close()
            except Exception as error:
                log.warning("listener_paused", error=type(error).__name__)
            if not stopping.is_set():
                await pause.wait(stopping)

    async def _hear(self, connection: Connection, stopping: asyncio.Event, pause: Pause) -> None:
        await stand(connection, self._topology)
        channel = await connection.channel()
        async with asyncio.timeout(self.DECLARE_S):
            queue = await self._own_queue(channel)
        async with (
            reading(connection, channel, queue, stopping, acknowledged=False) as read,
            AsyncExitStack() as stack,
        ):
            # A cache that can't keep up ends the connection: all begin anew.
            hearings = [
                await stack.enter_async_context(Hearing(one, connection.lost.set))
                for one in self._broadcasts
            ]
            self.is_up = True
            stack.callback(self._lose)
            pause.reset()
            while messages := await read.some():
                for envelope in filter(None, map(self._decoded, messages)):
                    for hearing in hearings:
                        hearing.tell(envelope)
                if connection.lost.is_set():
                    raise Interrupted

    async def _own_queue(self, channel: AbstractChannel) -> str:
        queue = await channel.declare_queue(exclusive=True, auto_delete=True)
        for type_name in self._types:
            await queue.bind(self._topology.exchange, type_name)
        return queue.name

    def _lose(self) -> None:
        self.is_up = False
        for one in self._broadcasts:
            if one.lost is not None:
                one.lost()

    def _decoded(self, message: AbstractIncomingMessage) -> Envelope | None:
        try:
            return envelope_of(message.headers, message.body)
        except Undecodable as reason:
            log.error("broadcast_undecodable", what=str(reason), size_bytes=len(message.body))
            return None


class Hearing:
    """One cache's: what it was told and has yet to apply, in order."""

    def __init__(self, broadcast: Broadcast, give_up: Callable[[], None]) -> None:
        self._broadcast = broadcast
        self._give_up = give_up
        self._types = {event.type_name() for event in broadcast.events}
        self._told: asyncio.Queue[Envelope] = asyncio.Queue(KEPT)
        self._never = asyncio.Event()

    async def __aenter__(self) -> "Hearing":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def tell(self, envelope: Envelope) -> None:
        """Keep it for the cache, if it is one of its own."""
        if envelope.type in self._types:
            try:
                self._told.put_nowait(envelope)
            except asyncio.QueueFull:
                log.error("broadcast_overflow", type=envelope.type)
                self._give_up()

    async def _run(self) -> None:
        if self._broadcast.joined is not None:
            await self._join(self._broadcast.joined)
        while True:
            envelope = await self._told.get()
            try:
                await self._broadcast.callback(envelope)
            except Exception as error:
                log.error("broadcast_failed", type=envelope.type, error=type(error).__name__)

    async def _join(self, joined: Callable[[], Awaitable[None]]) -> None:
        """Until it has its snapshot: who gives it may be away too."""
        pause = Pause()
        while True:
            try:
                await joined()
            except Exception as error:
                log.warning("snapshot_not_loaded", error=type(error).__name__)
                await pause.wait(self._never)
            else:
                return
