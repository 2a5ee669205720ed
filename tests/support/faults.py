"""What befalls the distributed way: each fault is done, lasts a while, and is undone.

Each is drawn from a generator of its own, so that a schedule of them follows from its seed alone.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

import aio_pika

from guichet.parts import DELIVERY
from tests.support.beset import Beset
from tests.support.claims import HANDLED, comes_about, held_claim
from tests.support.rabbitmq import ELECTION, Node
from tests.support.waiting import soon

ALARM = "resource limit alarm set"
SILENT_S = 14.0
"""Longer than three heartbeats: connections are given up."""
AWAY_S = 8.0
"""Longer than a publisher waits for a confirm."""

Fault = Callable[[Beset, random.Random], Awaitable[None]]


async def broker_stopped(b: Beset, chance: random.Random, for_s: float = AWAY_S) -> None:
    """All nodes end in good order, are away for a while, and start together."""
    nodes = b.cluster.nodes
    await asyncio.gather(*(asyncio.to_thread(node.stop) for node in nodes))
    await asyncio.sleep(for_s)
    for node in nodes:
        node.launch()
    await asyncio.gather(*(asyncio.to_thread(node.await_ready) for node in nodes))
    await asyncio.to_thread(nodes[0].ctl, "eval", ELECTION)


async def node_killed(b: Beset, chance: random.Random, node: Node | None = None) -> None:
    """One of the nodes, at once: the one that most are connected to, or a queue's leader."""
    if node is None:
        queue = b.topology.queue_of(chance.choice(sorted(b.topology.kept)))
        node = b.connected() if chance.random() < 0.5 else await leader(b, queue)
    await asyncio.to_thread(node.kill)
    await asyncio.sleep(chance.uniform(1, 4))
    node.launch()
    await asyncio.to_thread(node.await_ready)


async def leader(b: Beset, queue: str) -> Node:
    """The node that leads this queue."""
    found: list[Node] = []

    async def is_known() -> bool:
        node = b.cluster.nodes[0]
        told = await asyncio.to_thread(
            node.ctl, "list_queues", "name", "leader", "--quiet", "--formatter", "json"
        )
        leads = {one["name"]: one["leader"] for one in json.loads(told)}
        found[:] = [one for one in b.cluster.nodes if one.name == leads.get(queue)]
        return bool(found)

    await comes_about(is_known, f"a leader of {queue}")
    return found[0]


async def disk_alarm(b: Beset, chance: random.Random) -> None:
    """A node is short of disk: the whole broker takes nothing more for a while."""
    node = chance.choice(b.cluster.nodes)
    alarms = node.told().count(ALARM)
    await asyncio.to_thread(node.ctl, "set_disk_free_limit", "100000GB")
    try:
        assert await soon(lambda: node.told().count(ALARM) > alarms)
        await asyncio.sleep(AWAY_S)
    finally:
        await asyncio.to_thread(node.ctl, "set_disk_free_limit", "10MB")


async def silent_cut(b: Beset, chance: random.Random, name: str | None = None) -> None:
    """Between a part and the broker nothing arrives any more, and nothing is closed."""
    name = name or chance.choice(b.names)
    for way in b.ways[name]:
        way.pause()
    try:
        await asyncio.sleep(SILENT_S)
    finally:
        for way in b.ways[name]:
            way.resume()


async def queue_deleted(b: Beset, chance: random.Random, service: str | None = None) -> None:
    """By hand, while events come."""
    queue = b.topology.queue_of(service or chance.choice(sorted(b.topology.kept)))
    async with await aio_pika.connect(b.cluster.urls[0], timeout=20) as connection:
        channel = await connection.channel()
        await channel.queue_delete(queue, timeout=20)


async def postgres_restarted(b: Beset, chance: random.Random) -> None:
    """The server of databases ends with all that is under way, and recovers."""
    await b.databases.restart()


async def relay_down(b: Beset, chance: random.Random) -> None:
    """The SMTP server is gone for a while."""
    await asyncio.to_thread(b.office.close)
    await asyncio.sleep(chance.uniform(2, 5))
    await asyncio.to_thread(b.office.open)


async def part_killed(b: Beset, chance: random.Random, name: str | None = None) -> None:
    """SIGKILL: between a claim and its commit, between a mail's dot and its answer, or any time."""
    await b.calm()
    name = name or chance.choice(b.names)
    part = name.partition(".")[0]
    claims = [claim for claim in HANDLED if claim.service == part]
    if part == DELIVERY:
        await _kill_at_the_dot(b, name)
    elif claims:
        async with held_claim(b, chance.choice(claims)):
            b.kill(name)
    else:
        await asyncio.sleep(chance.uniform(0, 1))
        b.kill(name)
    b.start(name)
    await b.calm()


async def _kill_at_the_dot(b: Beset, name: str) -> None:
    loop, killed = asyncio.get_running_loop(), asyncio.Event()

    def kill() -> None:
        b.kill(name)
        loop.call_soon_threadsafe(killed.set)

    b.office.before_answer = kill
    async with asyncio.timeout(30):
        await killed.wait()


ALL: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        broker_stopped,
        node_killed,
        disk_alarm,
        silent_cut,
        queue_deleted,
        postgres_restarted,
        relay_down,
        part_killed,
    )
}


async def befalls(b: Beset, fault: Fault, chance: random.Random) -> None:
    """Do it, and count it."""
    await fault(b, chance)
    b.counted[getattr(fault, "__name__", "fault")] += 1
