"""Starts the Procfile's processes, each part as often as wanted, and keeps them going.

    python -m deploy.apart -c identity=2,notifier-delivery=3

RabbitMQ and PostgreSQL are named in the environment (GUICHET_RABBITMQ_URLS, GUICHET_POSTGRES_URL).
With GUICHET_POSTGRES_ADMIN_URL the databases are brought up to date first, and the demo is loaded
unless GUICHET_DEMO says no. A process that ends is started again; SIGTERM and Ctrl-C end all.
"""

import argparse
import asyncio
import ctypes
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PROCFILE = PROJECT / "deploy" / "Procfile"

GATEWAY = "gateway"
ASKED = ("identity", "catalog", "requests", "notifier", "notifier-delivery")
"""The parts that the gateway reaches, and must be told where."""
FIRST_PORT = 8100
ENDS_WITHIN_S = 12.0
AGAIN_S = (0.5, 10.0)
LIVED_LONG_S = 10.0
"""A process that ends is started again after a pause, longer each time unless it lived so long."""

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Process:
    """One process of a part: what is run, and what it is told beside the common environment."""

    part: str
    number: int
    command: tuple[str, ...]
    port: int
    settings: Mapping[str, str]

    @property
    def name(self) -> str:
        """As it is called in what is printed."""
        return f"{self.part}.{self.number}"


def procfile() -> dict[str, tuple[str, ...]]:
    """The command of each part, on this very Python."""
    commands = {}
    for line in PROCFILE.read_text("utf-8").splitlines():
        part, _, command = line.partition(":")
        words = shlex.split(command)
        commands[part] = tuple(sys.executable if word == "python" else word for word in words)
    return commands


def processes(counts: Mapping[str, int], port_of: Callable[[str, int], int]) -> list[Process]:
    """Every process, so often a part (once unless `counts` says), each on a port of its own."""
    commands = procfile()
    ports = {
        part: [port_of(part, number) for number in range(1, counts.get(part, 1) + 1)]
        for part in commands
    }
    addresses = {
        address_setting(part): ",".join(f"http://127.0.0.1:{port}" for port in ports[part])
        for part in ASKED
    }
    return [
        Process(
            part,
            number,
            commands[part],
            port,
            {"GUICHET_LISTEN_PORT": str(port), **(addresses if part == GATEWAY else {})},
        )
        for part in commands
        for number, port in enumerate(ports[part], 1)
    ]


def address_setting(part: str) -> str:
    """The setting that tells gateways where the part is."""
    return f"GUICHET_{part.replace('-', '_').upper()}_AT"


def usual_port(part: str, number: int) -> int:
    """8080, 8081 … for gateways, else 8101, 8111 … by the part's place in the Procfile."""
    if part == GATEWAY:
        return int(os.environ.get("GUICHET_HTTP_PORT", "8080")) + number - 1
    return FIRST_PORT + list(procfile()).index(part) + 10 * (number - 1)


def measured(all_: Sequence[Process], environment: Mapping[str, str]) -> list[Process]:
    """Each on a port of its own for its metrics: from the one on, if the environment names one."""
    first = environment.get("GUICHET_METRICS_PORT")
    if not first:
        return list(all_)
    return [
        replace(one, settings={**one.settings, "GUICHET_METRICS_PORT": str(int(first) + place)})
        for place, one in enumerate(all_)
    ]


def end_with_parent() -> None:
    """For a child before it becomes its program: SIGTERM comes when whoever started it is gone."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def keep_going(
    process: Process, environment: Mapping[str, str], ending: asyncio.Event
) -> None:
    """Start it, and again whenever it ends, until all are to end."""
    pause_s = AGAIN_S[0]
    while not ending.is_set():
        started = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            *process.command,
            cwd=PROJECT,
            env={**environment, **process.settings},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, who end them in good order
            preexec_fn=end_with_parent,
        )
        copying = asyncio.create_task(_copy(process, child))
        ended = asyncio.create_task(child.wait())
        told = asyncio.create_task(ending.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if ending.is_set() and not ended.done():
            child.terminate()
            await asyncio.wait({ended}, timeout=ENDS_WITHIN_S)
            if not ended.done():
                child.kill()
        status = await ended
        told.cancel()
        await copying
        _say(process, f"ended with status {status}")
        pause_s = AGAIN_S[0] if time.monotonic() - started > LIVED_LONG_S else pause_s
        try:
            async with asyncio.timeout(pause_s):
                await ending.wait()
        except TimeoutError:
            pause_s = min(pause_s * 2, AGAIN_S[1])


async def _copy(process: Process, child: asyncio.subprocess.Process) -> None:
    assert child.stdout is not None
    while line := await child.stdout.readline():
        _say(process, line.decode(errors="replace").rstrip("\n"))


def _say(process: Process, line: str) -> None:
    sys.stdout.write(f"{process.name:<20}| {line}\n")
    sys.stdout.flush()


async def _run(all_: Sequence[Process], environment: Mapping[str, str]) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    await asyncio.gather(*(keep_going(one, environment, ending) for one in all_))


def _counts(text: str) -> dict[str, int]:
    known = procfile()
    counts = {}
    for one in filter(None, text.split(",")):
        part, _, count = one.partition("=")
        if part not in known or not count.isdecimal():
            raise argparse.ArgumentTypeError(f"“{one}” is no PART=COUNT of {', '.join(known)}")
        counts[part] = int(count)
    return counts


def _lacking(environment: Mapping[str, str]) -> Iterator[str]:
    if not environment.get("GUICHET_RABBITMQ_URLS"):
        yield "Set GUICHET_RABBITMQ_URLS to the broker: amqp://user:password@host:5672/"
    if not any(name.endswith("POSTGRES_URL") for name in environment):
        yield "Set GUICHET_POSTGRES_URL to the databases' server: postgresql://host:5432"


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop. Answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.apart")
    parser.add_argument("-c", "--counts", type=_counts, default={}, metavar="PART=COUNT,…")
    counts = parser.parse_args(arguments).counts
    environment = dict(os.environ)
    if lacking := list(_lacking(environment)):
        sys.stderr.write("\n".join(lacking) + "\n")
        return 1
    if environment.pop("GUICHET_POSTGRES_ADMIN_URL", None):
        demo = os.environ.get("GUICHET_DEMO", "true").lower() not in {"0", "false", "no", "off"}
        for command in ("migrate", *(("demo",) if demo else ())):
            status = os.spawnve(
                os.P_WAIT, sys.executable, [sys.executable, "-m", "guichet", command], os.environ
            )
            if status:
                return status
    asyncio.run(_run(measured(processes(counts, usual_port), environment), environment))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
