"""`kill -9` of the process again and again, while towns register and file: nothing lost or doubled.

`GUICHET_TEST_DEATHS=50 pytest -s tests/faults/test_kills.py` is the whole; without it half of the
kills. The schedule is seeded (`GUICHET_TEST_SEED`). Of fifty, eighteen fall between a claim and its
commit (tests/support/claims.py), four between a mail's final dot and the relay's answer, four into
a start. The process's PostgreSQL ends with it each time.
"""

import asyncio
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.support.claims import HANDLED, PUBLISHED, Claim, comes_about, held_claim
from tests.support.post_office import PostOffice
from tests.support.process import HOST, Guichet, a_guichet
from tests.support.promises import (
    assert_confirmed_exists_once,
    assert_copies_allowed,
    assert_mails_came,
    assert_nothing_dead,
    assert_projections_equal,
    rows,
    settled,
    show,
)
from tests.support.towns import Load

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(1200)]

SEED = int(os.environ.get("GUICHET_TEST_SEED", "8"))
TOWNS_AT_ONCE = 4

DEATHS = int(os.environ.get("GUICHET_TEST_DEATHS", "25"))
OF_FIFTY = {"at any time": 24, "handling": 12, "publishing": 6, "at the dot": 4, "starting": 4}
SCHEDULE = {kind: count * DEATHS // 50 for kind, count in OF_FIFTY.items()}

IN_OUR_SOCKETS_S = 0.2
"""How long after the process's end a mail of its own may still come in. The next one takes longer
than that to send its first."""


@dataclass
class Killer:
    """Kills the process at chosen moments, starts it again, and notes when that was."""

    guichet: Guichet
    post_office: PostOffice
    chance: random.Random
    deaths: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    rows_held: list[int] = field(default_factory=list)
    restarts_s: list[float] = field(default_factory=list)
    started: float = 0

    async def kill(self, kind: str, chosen: Claim | None = None) -> None:
        """One kill of this kind, and the start after it."""
        if kind == "starting":
            await comes_about(self._begins, "a start")
            await asyncio.sleep(self.chance.uniform(0, 0.8))
            self._kill()
        else:
            await self.ready()
            await self._kill_when_ready(kind, chosen)
        self.kinds[kind] += 1
        self.started = time.monotonic()
        self.guichet.start()

    async def ready(self) -> None:
        """Wait until the portal answers and what the last kill broke off has been handled."""
        await asyncio.to_thread(self.guichet.await_ready)
        if self.deaths:
            self.restarts_s.append(time.monotonic() - self.started)
        await comes_about(self._nothing_broken_off, "the end of what a kill broke off")

    async def _begins(self) -> bool:
        return "Guichet starts" in self.guichet.said()

    async def _nothing_broken_off(self) -> bool:
        # A row that is killed twice while it runs alone is dead, as it must be: here each has
        # its turn, since the kills are the test's and not its own.
        sql = "SELECT FROM inbox WHERE kills > 0"
        return not any(
            [await rows(self.guichet, name, sql) for name in ("identity", "requests", "notifier")]
        )

    async def _kill_when_ready(self, kind: str, chosen: Claim | None) -> None:
        if kind == "at any time":
            await asyncio.sleep(self.chance.uniform(0, 1.0))
            self._kill()
        elif kind == "at the dot":
            killed = asyncio.Event()
            loop = asyncio.get_running_loop()

            def kill_before_answer() -> None:
                self._kill()
                loop.call_soon_threadsafe(killed.set)

            self.post_office.before_answer = kill_before_answer
            await asyncio.wait_for(killed.wait(), 30)
        else:
            assert chosen is not None
            async with held_claim(self.guichet, chosen) as held:
                self._kill()
            self.rows_held.append(held)

    def _kill(self) -> None:
        self.guichet.kill()
        self.deaths.append(time.monotonic() + IN_OUR_SOCKETS_S)


def schedule(chance: random.Random) -> list[tuple[str, Claim | None]]:
    """The kinds of kills in a drawn order. A start is killed only after one at any time: a row that
    was caught running alone has its turn before the next kill, lest it be held for their cause.
    """
    kinds = [kind for kind, count in SCHEDULE.items() for _ in range(count) if kind != "starting"]
    chance.shuffle(kinds)
    calm = [place for place, kind in enumerate(kinds) if kind == "at any time"]
    for place in sorted(chance.sample(calm, SCHEDULE["starting"]), reverse=True):
        kinds.insert(place + 1, "starting")
    turns = {"handling": HANDLED, "publishing": PUBLISHED}
    counts: Counter[str] = Counter()
    drawn: list[tuple[str, Claim | None]] = []
    for kind in kinds:
        among = turns.get(kind)
        drawn.append((kind, among[counts[kind] % len(among)] if among else None))
        counts[kind] += 1
    return drawn


async def test_kills_lose_nothing_and_double_nothing() -> None:
    chance = random.Random(SEED)
    post_office = PostOffice()
    with a_guichet(
        relay_host=HOST, relay_port=post_office.port, guarded_posts_a_minute=0
    ) as guichet:
        killer = Killer(guichet, post_office, chance)
        began = time.monotonic()
        guichet.start()
        await asyncio.to_thread(guichet.await_ready)
        async with Load(guichet.http_port, post_office, at_once=TOWNS_AT_ONCE) as load:
            for kind, chosen in schedule(chance):
                await killer.kill(kind, chosen)
                load.check()
            await killer.ready()
        await settled(guichet)

        assert sum(killer.kinds.values()) == DEATHS
        assert killer.kinds["handling"] + killer.kinds["publishing"] >= DEATHS // 5
        assert all(killer.rows_held)
        await assert_confirmed_exists_once(guichet, load.towns)
        await assert_mails_came(guichet, load.towns, post_office)
        copied = assert_copies_allowed(post_office.arrivals, killer.deaths)
        assert len(copied) >= killer.kinds["at the dot"]  # the search for copies finds some
        await assert_nothing_dead(guichet)
        await assert_projections_equal(guichet)
        written = guichet.written()
        assert [secret for secret in load.secrets() if secret in written] == []
        assert "Traceback" not in guichet.said(all_runs=True)
        assert guichet.stop() == 0, guichet.tail()

    post_office.close()
    restarts = sorted(killer.restarts_s)
    show(
        kills=dict(killer.kinds),
        rows_held_between_claim_and_commit=sum(killer.rows_held),
        towns=len(load.towns),
        requests=sum(len(town.numbers) for town in load.towns),
        mails=len({one.message_id for one in post_office.arrivals}),
        copies=len(copied),
        vain_tries=load.vain_tries(),
        start_s=f"{restarts[len(restarts) // 2]:.1f} (median), {restarts[-1]:.1f} (longest)",
        whole_s=round(time.monotonic() - began),
    )
