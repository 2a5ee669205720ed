"""Whatever befalls deliveries, their connections, leases and relays: no mail lost, none astray."""

import os

import pytest

from tests.simulation.mail_bugs import MAIL_BUGS
from tests.simulation.mailing import deliver_mails
from tests.simulation.world import Violation

ALONE = os.environ.get("GUICHET_SIMULATION_MAIL_SEED")
MOST = int(os.environ.get("GUICHET_SIMULATION_SEEDS", "300"))
SEEDS = range(MOST) if ALONE is None else [int(ALONE)]
PORTIONS = 4 if ALONE is None else 1
SEEDS_FOR_A_BUG = 2000


@pytest.mark.parametrize("portion", range(PORTIONS))
@pytest.mark.timeout(300 + MOST)
def test_mails_are_delivered_whatever_befalls(portion: int) -> None:
    for seed in SEEDS[portion::PORTIONS]:
        try:
            world = deliver_mails(seed, traced=len(SEEDS) == 1)
            print("\n".join(world.trace or ()))  # noqa: T201  # where one seed was asked for
        except Violation as broken:
            pytest.fail(
                "\n".join(broken.trace)
                + f"\n{broken}\nalone: GUICHET_SIMULATION_MAIL_SEED={seed} pytest -s {__file__}",
                pytrace=False,
            )


@pytest.mark.parametrize("name", MAIL_BUGS)
def test_a_deliberate_bug_is_caught(name: str) -> None:
    for seed in range(SEEDS_FOR_A_BUG):
        try:
            deliver_mails(seed, MAIL_BUGS[name]())
        except Violation:
            return
    pytest.fail(f"{SEEDS_FOR_A_BUG} seeds saw nothing of it")
