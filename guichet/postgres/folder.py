"""The data folder: where it is, who may enter it, that it has room, and that one process has it.

Under it stand, of ours, `lock`, `postgres/` (the cluster), `postgres.password`, `postgres.log` and,
for root, `bin/`. Root's folder is 0711, so that the server, which runs as `nobody`, reaches the
cluster and nothing else; a folder that was somebody's before is never opened to others.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from guichet.postgres.problems import OTHER_FOLDER, CannotStart, told
from guichet.postgres.processes import RunAs, first_closed

LOCK = "lock"
PROBE_S = 0.5  # a command that only asks may hold the lock for a moment
SPARE_BYTES = 80_000_000  # left free once the cluster stands


def default_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the data stand: `GUICHET_DATA_DIR`, else `/var/lib/guichet` for root and the user's XDG
    data folder for anyone else.
    """
    if chosen := environ.get("GUICHET_DATA_DIR"):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/guichet")
    xdg = Path(environ.get("XDG_DATA_HOME", ""))  # a relative one is invalid, says XDG
    return (xdg if xdg.is_absolute() else Path.home() / ".local" / "share") / "guichet"


@dataclass(frozen=True)
class Lock:
    """Held as long as this process lives, or until it is released. No child inherits it."""

    file: BinaryIO

    def release(self) -> None:
        """Let another process have the data."""
        self.file.close()


def take(data_dir: Path, run_as: RunAs) -> Lock:
    """Make the folder, or check the one that is there, and lock it. Raises CannotStart."""
    with told(data_dir):
        _make(data_dir, run_as)
        # Python opens files close-on-exec: the server has no copy that would outlive us.
        file = os.fdopen(os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    for _ in range(int(PROBE_S / 0.05)):
        if _lock(file):
            break
        time.sleep(0.05)
    else:
        holder = file.read().decode(errors="replace").strip() or "unknown"
        file.close()
        raise CannotStart(
            f"Guichet already runs on the data in {data_dir} (process {holder}):"
            f" stop it first, or {OTHER_FOLDER}."
        )
    with told(data_dir):
        file.truncate()
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
    return Lock(file)


def is_running(data_dir: Path) -> bool:
    """Does a process, this one included, have these data?"""
    try:
        with (data_dir / LOCK).open("rb") as file:
            return not _lock(file)
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise CannotStart(
            f"The data in {data_dir} belong to another user: run this as that user,"
            f" or {OTHER_FOLDER}."
        ) from error


def need_room(folder: Path, extra_bytes: int = 0) -> None:
    """Raise CannotStart unless the disk has room for `extra_bytes` and the spare ones."""
    needed = SPARE_BYTES + extra_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CannotStart(
            f"The disk that holds {folder} has {free // 1_000_000} MB left, and Guichet needs"
            f" {needed // 1_000_000} MB to start: free some space, or {OTHER_FOLDER}."
        )


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make(data_dir: Path, run_as: RunAs) -> None:
    missing = [path for path in (data_dir, *data_dir.parents) if not path.exists()]
    parents = [path for path in reversed(data_dir.parents) if path not in missing]
    if run_as.other and (closed := first_closed(run_as, parents)):
        raise _closed(closed)
    for path in reversed(missing):
        path.mkdir()
        # Whatever the umask: root's server must pass, and an ordinary user's data are theirs alone.
        path.chmod(0o755 if run_as.other else 0o700)
    if data_dir in missing or not any(data_dir.iterdir()):
        data_dir.chmod(0o711 if run_as.other else 0o700)
    elif run_as.other and first_closed(run_as, [data_dir]):
        raise _closed(data_dir)


def _closed(folder: Path) -> CannotStart:
    return CannotStart(
        f"Root's database server runs as the user nobody, who can't enter {folder}:"
        f" {OTHER_FOLDER} (/var/lib/guichet is the usual one), or start as an ordinary user."
    )
