"""Two delivery processes are killed again and again: no mail is lost, and few are sent twice.

`GUICHET_TEST_KILLS=200 GUICHET_TEST_MAILS=20000 pytest -s tests/faults/test_delivery_killed.py` is
the whole; without them a short version. Copies are held against DESIGN §8: only between our final
dot and our commit, so at most one for each connection of the process that died.
"""

import os
import random
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path

from chassis.settings import Settings
from tests.support.mail_queue import MailQueue, mail_queue
from tests.support.promises import show
from tests.support.smtp_sink import Sink, Taken
from tests.support.waiting import eventually, soon

KILLS = int(os.environ.get("GUICHET_TEST_KILLS", "20"))
MAILS = int(os.environ.get("GUICHET_TEST_MAILS", "2000"))
SEED = int(os.environ.get("GUICHET_TEST_SEED", "8"))
LEASE_S = 6.0
"""Longer than a busy disk holds up a mark; or else another sends what was sent and not marked."""
IN_OUR_SOCKETS_S = 0.5
"""What was sent before a death may be read so much later."""
CONNECTIONS = Settings().relay_connections


async def test_no_mail_is_lost_by_kills_and_copies_are_few(
    postgres_url: str, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    async with mail_queue(postgres_url, tmp_path, "killed") as queue:
        await queue.fill(MAILS, tenants=10)
        with Sink(delay_s=0.01) as sink:
            workers = queue.workers(sink.port, lease_s=LEASE_S)
            pids = [workers.start(), workers.start()]
            deaths: list[float] = []
            for number in range(KILLS):
                until = len(sink.taken) + chance.randint(1, max(MAILS // KILLS - CONNECTIONS, 2))
                assert await soon(partial(has_taken, sink, until))
                victim = number % 2
                os.kill(pids[victim], signal.SIGKILL)
                deaths.append(time.monotonic() + IN_OUR_SOCKETS_S)
                pids[victim] = workers.start()
            assert await eventually(lambda: none_queued(queue), within_s=120)
            workers.close()
            taken = list(sink.taken)
        assert await queue.states() == {"accepted": MAILS}
        assert await queue.count("SELECT count(*) FROM outbox") == MAILS
        unique = {one.message_id for one in taken}
        assert len(unique) == MAILS
        copied = copies_by_death(taken, deaths)
    show(
        kills=len(deaths),
        mails=MAILS,
        lost=MAILS - len(unique),
        copies=sum(copied.values()),
        most_of_one_death=max(copied.values(), default=0),
    )


def has_taken(sink: Sink, count: int) -> bool:
    """Has it taken so many, or nearly all that there are?"""
    return len(sink.taken) >= count or len({one.message_id for one in sink.taken}) >= MAILS - 1


async def none_queued(queue: MailQueue) -> bool:
    return "queued" not in await queue.states()


def copies_by_death(taken: list[Taken], deaths: list[float]) -> Counter[float]:
    """Each copy's death: the sender died between the two arrivals, at most so many at once."""
    last: dict[str, Taken] = {}
    found: Counter[float] = Counter()
    for one in taken:
        if (first := last.get(one.message_id)) is not None:
            between = [at for at in deaths if first.at < at < one.at]
            assert between, f"a copy without a death in between: {first.at}, {one.at}, {deaths}"
            found[min(between, key=found.__getitem__)] += 1  # which of them it was, nobody knows
        last[one.message_id] = one
    assert max(found.values(), default=0) <= 2 * CONNECTIONS, "two may die in one window"
    assert sum(found.values()) <= CONNECTIONS * len(deaths)
    return found
