"""Starting PostgreSQL's programs so that they end with us, as root under another name."""

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from guichet.postgres.problems import CannotStart

PR_SET_PDEATHSIG = 1
NOBODY = 65534
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class RunAs:
    """Whom PostgreSQL's programs run as: PostgreSQL refuses root, so there it is `nobody`."""

    uid: int
    gid: int
    other: bool  # other than who we are

    def owns(self, path: Path) -> bool:
        """Does the path belong to that user?"""
        return path.stat().st_uid == self.uid

    def give(self, target: Path | int) -> None:
        """Hand a file (or an open one) over to that user."""
        if self.other:
            os.chown(target, self.uid, self.gid)


def who() -> RunAs:
    """Whom to run as here: `nobody` for root, else who we are."""
    if os.geteuid() != 0:
        return RunAs(os.geteuid(), os.getegid(), other=False)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return RunAs(NOBODY, NOBODY, other=True)
    return RunAs(entry.pw_uid, entry.pw_gid, other=True)


def spawn(
    argv: Sequence[object],
    run_as: RunAs,
    *,
    output: int | IO[bytes],
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own (Ctrl-C is ours alone) that is asked to stop, by
    SIGINT, when the calling *thread* ends: call this from the main thread.
    """
    parent = os.getpid()

    def end_with_parent() -> None:
        # Runs after the change of user, which clears this setting.
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:  # it ended meanwhile: nobody would send the signal
            os._exit(1)

    try:
        return subprocess.Popen(
            [str(arg) for arg in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=clean_environment(),
            umask=0o077,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - it takes no lock: two system calls
            user=run_as.uid if run_as.other else None,
            group=run_as.gid if run_as.other else None,
            extra_groups=[] if run_as.other else None,
        )
    except PermissionError as error:
        if not run_as.other:
            raise
        raise CannotStart(
            "Guichet runs as root but may not start its database as another user, and PostgreSQL"
            " refuses root: start Guichet as an ordinary user."
        ) from error


def clean_environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What PostgreSQL's programs see: none of the PG* variables, and messages in plain English."""
    kept = {name: base[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in base}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def first_closed(run_as: RunAs, folders: Sequence[Path]) -> Path | None:
    """The first of these folders that this user can't enter."""
    # A shell asks, as that user: mode bits alone don't tell of access lists and mounts.
    script = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; exit; }; done'
    asked = spawn(["/bin/sh", "-c", script, "sh", *folders], run_as, output=subprocess.PIPE)
    answer, _ = asked.communicate()
    return Path(os.fsdecode(answer)) if answer else None
