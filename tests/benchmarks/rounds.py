"""Rounds that take turns: each side once a round, the ratio of that round, and their median.

Rates swing by half on a shared machine. What was measured in the same second and turn about, and
the CPU an item took (getrusage), hold: so these two are reported, and rates beside them only.
"""

import asyncio
import cProfile
import os
import pstats
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
WAITING = ("select.epoll", "select.poll")  # where the loop sleeps: no work


@dataclass(frozen=True)
class Round:
    """What one side did in a round: so many items, in so long, with so much CPU of its own."""

    items: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds

    @property
    def each_us(self) -> float:
        """Microseconds of CPU an item."""
        return self.cpu_s / self.items * 1e6


Side = Callable[[], Awaitable[Round]]


class Meter:
    """Counts from its making to `read`: time, and the CPU of this process or of others."""

    def __init__(self, *, pids: Sequence[int] = (), children: bool = False) -> None:
        self._pids = pids
        self._who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
        self._cpu_s = self._used()
        self._started = time.perf_counter()

    def read(self, items: int, seconds: float | None = None) -> Round:
        """The round; `seconds` where the side itself knows better how long it took."""
        took = time.perf_counter() - self._started
        return Round(items, seconds or took, self._used() - self._cpu_s)

    def _used(self) -> float:
        if self._pids:
            return sum(_cpu_of(pid) for pid in self._pids)
        used = resource.getrusage(self._who)
        return used.ru_utime + used.ru_stime


async def told_by(*command: str | Path, **environment: str) -> str:
    """What a program says on its standard output. Raises RuntimeError with what it complained of.

    Its CPU is counted by a `Meter(children=True)` once this returns.
    """
    process = await asyncio.create_subprocess_exec(
        *(str(one) for one in command),
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(300):
            said, complained = await process.communicate()
    except BaseException:
        process.kill()
        raise
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]}: {complained.decode(errors='replace')[-2000:]}")
    return said.decode()


async def take_turns(
    sides: Mapping[str, Side], *, rounds: int = 5, peer: str | None = None
) -> dict[str, list[Round]]:
    """Run each side so many times, in turns, and print a table; ratios are to the peer.

    A first round is left out, and every second one runs backwards, so that none always follows the
    same other.
    """
    load = os.getloadavg()[0]
    seen: dict[str, list[Round]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        order = list(sides)[:: 1 if number % 2 else -1]
        for name in order:
            done = await sides[name]()
            if number:
                seen[name].append(done)
    say(f"\n{rounds} rounds, load {load:.1f} before and {os.getloadavg()[0]:.1f} after\n")
    say(f"| | a second | × {peer or 'none'}: median (from - to) | CPU each |")
    say("| --- | --- | --- | --- |")
    for name, mine in seen.items():
        theirs = seen[peer] if peer else []
        ratios = sorted(one.rate / other.rate for one, other in zip(mine, theirs, strict=False))
        told = "1" if name == peer else _spread(ratios) if ratios else ""
        rate = statistics.median(one.rate for one in mine)
        each = statistics.median(one.each_us for one in mine)
        say(f"| {name} | {rate:,.0f} | {told} | {each:,.0f} µs |")
    return seen


async def profile(name: str, side: Side) -> None:
    """Run the side once more under cProfile, and say in a line which code took its time.

    What is built in counts for the code that called it. The profiler weighs on calls, so these
    are shares to look into, not measurements.
    """
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    try:
        await side()
    finally:
        profiler.disable()
    shares: Counter[str] = Counter()
    for (file, _, function), (_, _, own_s, _, callers) in _entries(profiler):
        if any(one in function for one in WAITING):
            continue
        if file != "~":
            shares[_package(file)] += own_s
            continue
        for caller, (_, _, caused_s, _) in callers.items():
            shares[_package(caller[0])] += caused_s
    total = sum(shares.values())
    told = ", ".join(f"{one} {took / total:.0%}" for one, took in shares.most_common(9))
    say(f"\nWhere the time of {name} goes: {told}.")
    if "GUICHET_BENCH_PROFILE" in os.environ:
        profiler.dump_stats(os.environ["GUICHET_BENCH_PROFILE"])


def say(line: str) -> None:
    """To whoever reads the table."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def skipping(peer: str) -> Iterator[None]:
    """Say that the peer is not here, and go on without it."""
    try:
        yield
    except LookupError as missing:
        say(f"\nNothing is compared with {peer}: {missing}")


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} - {ratios[-1]:.2f})"


def _cpu_of(pid: int) -> float:
    """Seconds of CPU that a running process has used, in steps of a tick (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _entries(profiler: cProfile.Profile):  # type: ignore[no-untyped-def]  # pstats' own shapes
    return pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]  # not in its stubs


def _package(file: str) -> str:
    """The library, or the part of ours, that a file belongs to."""
    if "site-packages/" in file:
        name = file.rpartition("site-packages/")[2].split("/")
        return name[0].removesuffix(".py")
    parts = Path(file).parts
    for ours in ("chassis", "contracts", "services", "gateway", "guichet", "tests"):
        if ours in parts:
            return ours
    if file.startswith("<"):
        return "generated"
    return parts[-2] if len(parts) > 1 and not parts[-2].startswith("python") else Path(file).stem
