"""PostgreSQL killed under the process, while towns register and file.

The process stays, its pages say to come back meanwhile, and the same holds as after a kill of the
process: nothing lost, nothing doubled, nothing dead. No mail comes twice: who sent it lives on and
marks it as soon as the database is back.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest

from tests.support.claims import HANDLED, PUBLISHED, held_claim
from tests.support.post_office import PostOffice
from tests.support.process import HOST, Guichet, a_guichet
from tests.support.promises import (
    assert_confirmed_exists_once,
    assert_copies_allowed,
    assert_mails_came,
    assert_nothing_dead,
    assert_projections_equal,
    settled,
    show,
)
from tests.support.towns import Load, Visitor, words_of
from tests.support.waiting import bounded, until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]

SEED = int(os.environ.get("GUICHET_TEST_SEED", "8"))
# Of the server itself at most four: five deaths within a minute are told, and end the process.
PLAN = [
    *("backend", "backend holding a claim", "server", "backend", "server holding a claim"),
    *("backend holding a claim", "backend", "backend holding a claim", "server"),
    *("backend holding a claim", "backend", "server holding a claim"),
]

BACK_WITHIN_S = 20.0
CALM_S = 1.0
WHOLE_WITHIN_S = 300.0
NOTICED_WITHIN_S = 5.0  # for ever, if the process was at its own end when it was killed


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """Where the mails go."""
    office = PostOffice()
    yield office
    office.close()


class Watch:
    """A visitor who opens two pages again and again, and notes what they get."""

    def __init__(self, port: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.lost = 0
        self._visitor = Visitor(port)
        self._good_since: float | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            for path in ("/", "/sign-in"):
                try:
                    # Not wait_for: before Python 3.12 it may swallow the cancellation that ends us.
                    async with asyncio.timeout(20):
                        page = await self._visitor.once("GET", path)
                except httpx.TransportError:
                    self.lost += 1
                    self._good_since = None
                    continue
                self.statuses[page.status_code] += 1
                if page.status_code == 200:
                    self._good_since = self._good_since or time.monotonic()
                else:
                    assert page.status_code == 503
                    assert "retry-after" in page.headers
                    assert page.headers["content-type"].startswith("text/html")
                    assert len(words_of(page)) > 20, page.text  # words for a person to read
                    self._good_since = None
            await asyncio.sleep(0.02)

    def forget(self) -> None:
        """What was good before says nothing of now."""
        self._good_since = None

    async def back(self) -> None:
        """Wait until pages have been good for a while again."""
        until_at = time.monotonic() + BACK_WITHIN_S + CALM_S
        while self._good_since is None or time.monotonic() - self._good_since < CALM_S:
            assert time.monotonic() < until_at, "pages did not come back"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def watched(guichet: Guichet) -> AsyncIterator[Watch]:
    """Somebody looks all the time while the block runs."""
    watch = Watch(guichet.http_port)
    looking = asyncio.create_task(watch.run())
    try:
        yield watch
        if looking.done():
            looking.result()
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def kill_a_backend(guichet: Guichet, chance: random.Random, *, of: int | None = None) -> None:
    """Kill one of PostgreSQL's other processes: it ends all sessions and recovers by itself."""
    others = [pid for pid in guichet.servers() if pid != guichet.postmaster()]
    os.kill(of or chance.choice(others), signal.SIGKILL)


def kill_the_postmaster(guichet: Guichet) -> None:
    """Kill the server itself: the process starts it again, on the same port."""
    os.kill(guichet.postmaster(), signal.SIGKILL)


async def test_postgresql_killed_under_load_loses_nothing_and_doubles_nothing(
    post_office: PostOffice,
) -> None:
    chance = random.Random(SEED)
    with a_guichet(
        relay_host=HOST, relay_port=post_office.port, guarded_posts_a_minute=0
    ) as guichet:
        guichet.start()
        await asyncio.to_thread(guichet.await_ready)
        pid = guichet.pid
        kills: Counter[str] = Counter()
        outages_s = []
        async with (
            bounded(WHOLE_WITHIN_S, guichet.tail),
            Load(guichet.http_port, post_office, at_once=3) as load,
            watched(guichet) as watch,
        ):
            claims = iter(HANDLED + PUBLISHED)
            for kind in PLAN:
                await asyncio.sleep(chance.uniform(0, 0.5))
                if kind.endswith("claim"):
                    async with held_claim(guichet, next(claims)):
                        before = _kill(guichet, kind, chance)
                else:
                    before = _kill(guichet, kind, chance)
                began = time.monotonic()
                await asyncio.to_thread(
                    until, partial(_are_gone, guichet, before), NOTICED_WITHIN_S
                )
                watch.forget()
                kills[kind.partition(" holding")[0]] += 1
                await watch.back()
                outages_s.append(time.monotonic() - began - CALM_S)
                load.check()
        await settled(guichet)

        assert guichet.pid == pid
        assert not guichet.has_ended()
        assert watch.statuses[200] > watch.statuses[503]
        assert watch.statuses[503] > 0, watch.statuses
        await assert_confirmed_exists_once(guichet, load.towns)
        await assert_mails_came(guichet, load.towns, post_office)
        assert assert_copies_allowed(post_office.arrivals, []) == []
        await assert_nothing_dead(guichet)
        await assert_projections_equal(guichet)
        written = guichet.written()
        assert [secret for secret in load.secrets() if secret in written] == []
        assert guichet.stop() == 0, guichet.tail()
        show(
            kills=dict(kills),
            pages=dict(watch.statuses),
            towns=len(load.towns),
            requests=sum(len(town.numbers) for town in load.towns),
            mails=len(post_office.arrivals),
            longest_outage_s=round(max(outages_s), 1),
            median_outage_s=round(sorted(outages_s)[len(outages_s) // 2], 1),
        )


def _kill(guichet: Guichet, kind: str, chance: random.Random) -> set[int]:
    """Kill it. Answers the processes that this ends."""
    ends = set(guichet.servers())
    if kind.startswith("server"):
        kill_the_postmaster(guichet)
    else:
        ends.discard(guichet.postmaster())
        kill_a_backend(guichet, chance)
    return ends


def _are_gone(guichet: Guichet, pids: set[int]) -> bool:
    """Have all of them ended?"""
    return not pids & set(guichet.servers())


def test_a_server_that_dies_again_and_again_is_told_and_given_up() -> None:
    with a_guichet() as guichet:
        guichet.run()
        for _ in range(5):
            postmaster = guichet.postmaster()
            os.kill(postmaster, signal.SIGKILL)
            assert until(lambda dead=postmaster: _is_another(guichet, dead), 20)  # type: ignore[misc]
            if guichet.has_ended():
                break
        assert guichet.ended() == 1, guichet.tail()
        assert "The database ended 5 times within a minute" in guichet.said()
        assert "start again" in guichet.said()
        assert "Traceback" not in guichet.said()
        assert until(lambda: not guichet.servers())
        guichet.run()


async def test_a_server_that_is_killed_again_while_it_recovers_is_started_once_more() -> None:
    with a_guichet() as guichet:
        guichet.start()
        await asyncio.to_thread(guichet.await_ready)
        async with watched(guichet) as watch:
            for _ in range(2):
                before = guichet.postmaster()
                kill_the_postmaster(guichet)
                assert await asyncio.to_thread(until, partial(_another_begins, guichet, before))
            kill_the_postmaster(guichet)
            watch.forget()
            await watch.back()
        assert not guichet.has_ended()
        assert guichet.stop() == 0, guichet.tail()


def _another_begins(guichet: Guichet, dead: int) -> bool:
    """Has another server begun to start?"""
    try:
        return guichet.postmaster() != dead
    except (OSError, IndexError):
        return False


def _is_another(guichet: Guichet, dead: int) -> bool:
    """Does another server run, and answer, or has the process ended?"""
    try:
        lines = (guichet.data_dir / "postgres" / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return guichet.has_ended()
    return guichet.has_ended() or (int(lines[0]) != dead and lines[7:8] == ["ready   "])


def test_a_server_that_dies_while_the_process_starts_is_told_or_started_again() -> None:
    with a_guichet() as guichet:
        guichet.run()
        guichet.stop()
        for pause_s in (0.0, 0.1, 0.2, 0.3):
            guichet.start()
            pid_file = guichet.data_dir / "postgres" / "postmaster.pid"
            assert until(lambda at=pid_file: at.exists() and "ready" in at.read_text())  # type: ignore[misc]
            time.sleep(pause_s)
            kill_the_postmaster(guichet)
            assert until(lambda: guichet.is_ready() or guichet.has_ended(), 60), guichet.tail()
            if guichet.has_ended():
                assert guichet.ended() == 1
                told = "The database ended while Guichet was starting: start it again."
                assert told in guichet.said(), guichet.tail()
                assert "start it again" in guichet.said()
            else:
                assert guichet.stop() == 0
            assert "Traceback" not in guichet.tail(), guichet.tail()
            assert until(lambda: not guichet.servers())


def test_a_server_that_dies_while_the_process_stops_does_not_hold_it_up() -> None:
    with a_guichet() as guichet:
        guichet.run()
        guichet.send(signal.SIGINT)
        assert until(lambda: "Guichet stops" in guichet.said())
        kill_the_postmaster(guichet)
        assert guichet.ended() == 0, guichet.tail()
        assert "Traceback" not in guichet.tail()
        assert until(lambda: not guichet.servers())
