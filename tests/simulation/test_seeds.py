"""Whatever befalls processes, connections, messages and clocks: the promises hold."""

import os
import subprocess
import sys

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.run import run, trace_of
from tests.simulation.world import Violation

ALONE = os.environ.get("GUICHET_SIMULATION_SEED")
MOST = int(os.environ.get("GUICHET_SIMULATION_SEEDS", "1000"))
SEEDS = range(MOST) if ALONE is None else [int(ALONE)]
PORTIONS = 10 if ALONE is None else 1
SEEDS_FOR_A_BUG = 400

REPLAY = "from tests.simulation.run import trace_of; print('\\n'.join(trace_of({seed})))"


def explained(broken: Violation, seed: int) -> str:
    """What a failure says: the promise, how it came about, and how to look at it alone."""
    lines = trace_of(seed)
    end = "\n".join(lines if ALONE else lines[-40:])
    return f"{broken}\n{end}\nalone: GUICHET_SIMULATION_SEED={seed} pytest -s tests/simulation"


@pytest.mark.parametrize("portion", range(PORTIONS))
@pytest.mark.timeout(300 + MOST)
def test_the_promises_hold(portion: int) -> None:
    for seed in SEEDS[portion::PORTIONS]:
        try:
            run(seed)
            if len(SEEDS) == 1:
                print("\n".join(trace_of(seed)))  # noqa: T201  # for whoever asked for it
        except Violation as broken:
            pytest.fail(explained(broken, seed), pytrace=False)


@pytest.mark.parametrize("name", BUGS)
def test_a_deliberate_bug_is_caught(name: str) -> None:
    for seed in range(SEEDS_FOR_A_BUG):
        try:
            run(seed, BUGS[name]())
        except Violation:
            return
    pytest.fail(f"{SEEDS_FOR_A_BUG} seeds saw nothing of it")


def test_a_seed_replays_alone_line_by_line() -> None:
    replayed = subprocess.run(
        [sys.executable, "-c", REPLAY.format(seed=7)],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert replayed.stdout.splitlines() == trace_of(7)
