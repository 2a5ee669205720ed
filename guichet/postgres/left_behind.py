"""Finding and ending a server that an earlier life of ours left on the cluster.

Known by its working directory, which PostgreSQL makes the cluster's, and by `postmaster.pid`. The
caller holds the data folder's lock: whatever runs there is no longer anybody's.
"""

import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

from guichet.postgres.cluster import Cluster
from guichet.postgres.problems import CannotStart

Waiting = Generator[float, None, None]
"""Steps of work; each yields how many seconds to wait before the next."""

LOOK_S = 0.02
FAST_S, QUICK_S, FORCED_S, REAPED_S = 10.0, 5.0, 5.0, 5.0
"""How long each may take: a shutdown, one without a checkpoint, an end by force, its burial."""


def end_left_behind(cluster: Cluster, say: Callable[[str], None]) -> Waiting:
    """End the cluster's processes, if there are any, and wait until none is left. Where its
    postmaster was killed, its backends may have outlived it. Raises CannotStart.
    """
    for folder in (cluster.folder, cluster.fresh):
        left = processes_in(folder)
        if not left:
            continue
        say("Stopping a database server that was left behind.")
        postmaster = [pid for pid in left if [str(pid)] == cluster.pid_file_lines()[:1]]
        for signum, told, patience_s in (
            (signal.SIGINT, postmaster, FAST_S if postmaster else 0.5),
            (signal.SIGQUIT, left, QUICK_S),
            (signal.SIGKILL, left, FORCED_S),
        ):
            for pid in set(told).intersection(left):
                with suppress(ProcessLookupError):
                    os.kill(pid, signum)
            deadline = time.monotonic() + patience_s
            while left and time.monotonic() < deadline:
                yield LOOK_S
                left = processes_in(folder)
        if left:
            raise CannotStart(
                f"A database server from before still runs on {folder} (process {left[0]}) and"
                " can't be stopped: restart the machine."
            )
    yield from _free_pid_file(cluster)


def processes_in(folder: Path) -> list[int]:
    """PostgreSQL's processes whose working directory that folder is."""
    try:
        wanted = folder.stat()
    except OSError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "comm").read_text() != "postgres\n":
                continue
            if os.path.samestat((entry / "cwd").stat(), wanted):
                found.append(int(entry.name))
        except OSError:
            continue  # gone, or somebody else's
    return sorted(found)


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _free_pid_file(cluster: Cluster) -> Waiting:
    """PostgreSQL refuses to start while the process that `postmaster.pid` names seems alive: as a
    zombie that its parent has not waited for, or as another program that got the number.
    """
    lines = cluster.pid_file_lines()
    if not lines or not lines[0].isdigit():
        return
    pid = int(lines[0])
    deadline = time.monotonic() + REAPED_S
    while _status(pid).get("State", "").startswith("Z") and time.monotonic() < deadline:
        yield LOOK_S
    if _status(pid):  # a zombie for good, or not ours
        (cluster.folder / "postmaster.pid").unlink(missing_ok=True)
