"""The Procfile's processes and all under them, hurt one after the other while towns live.

After each fault, and after a drawn schedule of them, the same holds: every accepted request once,
every mail, every projection equal to its source, nothing dead.

GUICHET_TEST_OUTAGE_S is how long the broker is away (60 for the figures of docs/reliability.md);
GUICHET_TEST_FAULTS_S, how long faults are drawn (600 there); GUICHET_TEST_SEED draws them.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from guichet.parts import PARTS
from tests.support import faults
from tests.support.beset import Beset, Databases, beset, databases
from tests.support.projected import assert_projections_told
from tests.support.promises import copies, show
from tests.support.waiting import bounded

OUTAGE_S = float(os.environ.get("GUICHET_TEST_OUTAGE_S", "8"))
LENGTH_S = float(os.environ.get("GUICHET_TEST_FAULTS_S", "120"))
SEED = int(os.environ.get("GUICHET_TEST_SEED", "8"))

pytestmark = [pytest.mark.xdist_group("beset"), pytest.mark.timeout(600 + 2 * LENGTH_S)]


@pytest.fixture(scope="module")
def server() -> Iterator[Databases]:
    """A server of databases that may be hurt."""
    with databases() as server:
        yield server


@pytest.fixture(scope="module")
async def b(server: Databases, worker_folder: Path) -> AsyncIterator[Beset]:
    """All of it, once for this file."""
    async with beset(server, worker_folder / "beset") as one:
        yield one


async def befallen(b: Beset, *some: faults.Fault, within_s: float = 300) -> None:
    """These, in this order, while towns live; then all is held."""
    began = time.monotonic()
    async with bounded(within_s, b.tail), b.load() as load:
        for number, fault in enumerate(some):
            await faults.befalls(b, fault, random.Random(SEED + number))
            load.check()
    mails = {one.message_id for one in b.office.arrivals}
    show(
        towns=len(load.towns),
        requests=sum(len(town.numbers) for town in load.towns),
        mails_so_far=len(mails),
        copies_so_far=len(copies(b.office.arrivals)),
        vain_tries=load.vain_tries(),
        whole_s=round(time.monotonic() - began, 1),
    )


async def test_the_broker_stopped_while_towns_register_and_file(b: Beset) -> None:
    await befallen(b, partial(faults.broker_stopped, for_s=OUTAGE_S), within_s=300 + OUTAGE_S)


async def test_each_part_killed_in_mid_work(b: Beset) -> None:
    kills = [partial(faults.part_killed, name=f"{part}.1") for part in PARTS]
    await befallen(b, *kills)
    assert b.deliverers_died


async def test_the_databases_restarted(b: Beset) -> None:
    await befallen(b, faults.postgres_restarted)


async def test_the_relay_down(b: Beset) -> None:
    await befallen(b, faults.relay_down)


async def test_the_brokers_disk_alarm(b: Beset) -> None:
    await befallen(b, faults.disk_alarm)


async def test_a_silent_cut_between_a_part_and_the_broker(b: Beset) -> None:
    await befallen(b, partial(faults.silent_cut, name="requests.1"))


async def test_a_queue_deleted_by_hand(b: Beset) -> None:
    await befallen(b, partial(faults.queue_deleted, service="notifier"))


async def test_the_connected_node_killed(b: Beset) -> None:
    await befallen(b, partial(faults.node_killed, node=b.connected()))


async def test_the_leader_of_a_queue_killed(b: Beset) -> None:
    node = await faults.leader(b, b.topology.queue_of("requests"))
    await befallen(b, partial(faults.node_killed, node=node))


async def test_drawn_faults(b: Beset) -> None:
    """The next is drawn once the one before has been undone, whatever is still under way."""
    chance = random.Random(SEED)
    drawn: list[str] = []

    async def a_drawn_one(b: Beset, _chance: random.Random) -> None:
        until = time.monotonic() + LENGTH_S
        while time.monotonic() < until:
            drawn.append(chance.choice(sorted(faults.ALL)))
            await faults.befalls(b, faults.ALL[drawn[-1]], random.Random(chance.random()))
            await asyncio.sleep(chance.uniform(0, 2))

    try:
        await befallen(b, a_drawn_one, within_s=300 + 2 * LENGTH_S)
    finally:
        show(seed=SEED, faults=" ".join(drawn))


async def test_a_projection_that_is_not_as_it_was_told_is_found(b: Beset) -> None:
    """What holds the search itself."""
    connection = await b.database("requests")
    try:
        await connection.execute("UPDATE requesters SET first_name = first_name || '!'")
        with pytest.raises(AssertionError, match=r"requests\.project_requester is not as"):
            await assert_projections_told(b, b.whole.installation.databases)
        await connection.execute("UPDATE requesters SET first_name = rtrim(first_name, '!')")
    finally:
        await connection.close()
    await assert_projections_told(b, b.whole.installation.databases)
