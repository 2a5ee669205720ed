"""Delivery by two processes, against one: on the same queue, to a slow relay and to a quick one.

A relay across a network answers a text after a while, which a process's connections wait out: there
a second process brings what its own connections bring. One that answers at once leaves the
processors as the only bound, which the processes share with the database and the relay.
"""

import asyncio
import os
import tempfile
from functools import partial
from pathlib import Path

from guichet.serving import run_until_done
from tests.benchmarks.rounds import Meter, Round, Side, say, take_turns
from tests.support.mail_queue import MailQueue, mail_queue
from tests.support.postgres import ADDRESS, drop_databases, provide
from tests.support.smtp_sink import Sink
from tests.support.waiting import soon

COUNT = 800
TENANTS = 10
DELAYS_S = (0.05, 0.0)


async def measure(queue: MailQueue) -> None:
    """Compare over each relay."""
    for delay_s in DELAYS_S:
        with Sink(delay_s=delay_s) as sink:
            say(f"\nA relay that answers a text after {delay_s * 1000:.0f} ms.")
            sides = {
                name: side(queue, sink, processes)
                for name, processes in {"one process": 1, "two processes": 2}.items()
            }
            await take_turns(sides, peer="one process")


def side(queue: MailQueue, sink: Sink, processes: int) -> Side:
    """Fill the queue, start so many, and wait until the relay has all."""

    async def deliver() -> Round:
        await queue.fill(COUNT, tenants=TENANTS)
        before = len(sink.taken)
        workers = queue.workers(sink.port)
        try:
            meter = Meter(pids=[workers.start() for _ in range(processes)])
            # From the first mails on: how long a process takes to start is not asked here.
            assert await soon(partial(has_taken, sink, before + COUNT // 10), 60)
            began, first = sink.taken[-1].at, len(sink.taken)
            assert await soon(partial(has_taken, sink, before + COUNT), 120)
            done = meter.read(COUNT)
            ended = sink.taken[before + COUNT - 1].at
            return Round(
                before + COUNT - first, ended - began, done.cpu_s * (before + COUNT - first) / COUNT
            )
        finally:
            await asyncio.to_thread(workers.close)

    return deliver


def has_taken(sink: Sink, count: int) -> bool:
    """Has it so many mails?"""
    return len(sink.taken) >= count


async def main() -> None:
    """On a database of its own."""
    server = None if ADDRESS in os.environ else provide()
    url = os.environ[ADDRESS] if server is None else server.url
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with mail_queue(url, Path(folder), "processes") as queue:
                await measure(queue)
    finally:
        if server is None:
            drop_databases(url, os.environ["GUICHET_DATABASE_PREFIX"])
        else:
            server.stop()


if __name__ == "__main__":
    run_until_done(main())
