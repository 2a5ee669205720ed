"""`guichet up` as a process of its own, on free ports and a data folder of its own.

It is killed and stopped by its id alone, and it ends with the tests whatever becomes of them.
"""

import ctypes
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from chassis.database.migrate import with_database
from guichet.postgres import Address, running
from guichet.postgres.left_behind import processes_in
from tests.support.installation import free_port
from tests.support.waiting import until

PROJECT = Path(__file__).parents[2]
HOST = "127.0.0.1"
READY_WITHIN_S = 120.0
ENDED_WITHIN_S = 45.0

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Guichet:
    """An installation in a folder: started, asked, stopped and killed as a person would."""

    def __init__(self, place: Path, **settings: object) -> None:
        self.place = place
        self.data_dir = place / "data"
        self.ports = [free_port() for _ in range(3)]
        self.settings: dict[str, object] = {"log_format": "json", **settings}
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._said = place / "stdout.txt"
        self._logged = place / "stderr.txt"

    @property
    def http_port(self) -> int:
        """Where the portal answers."""
        return self.ports[0]

    @property
    def pid(self) -> int:
        """The process, which must have been started."""
        assert self.process is not None
        return self.process.pid

    def environment(self, **settings: object) -> dict[str, str]:
        """What a process of this installation is given, and nothing of the tests' own."""
        http, smtp, mailbox = self.ports
        given = {
            "data_dir": self.data_dir,
            "http_port": http,
            "smtp_port": smtp,
            "mailbox_port": mailbox,
            **self.settings,
            **settings,
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        programs = os.environ.get("GUICHET_POSTGRES_BIN")
        return {
            **kept,
            **({"GUICHET_POSTGRES_BIN": programs} if programs else {}),
            **{f"GUICHET_{name.upper()}": str(value) for name, value in given.items()},
        }

    def start(self, **settings: object) -> None:
        """Start the process. Called from the main thread, with whose end it ends."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        self.starts += 1
        with self._said.open("ab") as said, self._logged.open("ab") as logged:
            self._run_said, self._run_logged = said.tell(), logged.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "guichet", "up"],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=logged,
                env=self.environment(**settings),
                start_new_session=True,
                preexec_fn=end_with_tests,  # noqa: PLW1509 - one system call, no lock
            )

    def await_ready(self, within_s: float = READY_WITHIN_S) -> float:
        """Wait until the portal is ready. Answers when it was, by the monotonic clock."""
        assert until(lambda: self.is_ready() or self.has_ended(), within_s), self.tail()
        assert not self.has_ended(), self.tail()
        return time.monotonic()

    def run(self, **settings: object) -> "Guichet":
        """`start` and `await_ready`."""
        self.start(**settings)
        self.await_ready()
        return self

    def is_ready(self) -> bool:
        """Does `/readyz` say so now?"""
        connection = http.client.HTTPConnection(HOST, self.http_port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def has_ended(self) -> bool:
        """Is the process no more?"""
        return self.process is None or self.process.poll() is not None

    def send(self, signum: signal.Signals) -> None:
        """Send the process, and nothing else, a signal."""
        assert self.process is not None
        self.process.send_signal(signum)

    def kill(self) -> None:
        """End it as a machine's memory guard does."""
        self.send(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)

    def stop(self, signum: signal.Signals = signal.SIGINT, within_s: float = ENDED_WITHIN_S) -> int:
        """Ask it to stop and wait until it has. Answers its exit status."""
        self.send(signum)
        return self.ended(within_s)

    def ended(self, within_s: float = ENDED_WITHIN_S) -> int:
        """Wait until it has ended by itself. Answers its exit status."""
        assert self.process is not None
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on: {self.tail()}") from None

    def close(self) -> None:
        """End whatever of it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if not until(lambda: not self.servers(), 10):
            for pid in self.servers():
                os.kill(pid, signal.SIGKILL)

    def servers(self) -> list[int]:
        """The processes of its PostgreSQL."""
        return processes_in(self.data_dir / "postgres")

    def postmaster(self) -> int:
        """The first of these, which starts the others."""
        return int((self.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])

    def said(self, *, all_runs: bool = False) -> str:
        """What the last run, or every one, wrote for the person at the terminal."""
        return self._read(self._said, 0 if all_runs else self._run_said)

    def logged(self, *, all_runs: bool = False) -> str:
        """What the last run, or every one, logged."""
        return self._read(self._logged, 0 if all_runs else self._run_logged)

    def tail(self) -> str:
        """The end of both, for a failure's message."""
        return f"{self.said()[-2000:]}\n{self.logged()[-4000:]}"

    def written(self) -> str:
        """Whatever this installation wrote beside its data: both outputs and PostgreSQL's log."""
        server_log = self.data_dir / "postgres.log"
        more = server_log.read_text(errors="replace") if server_log.exists() else ""
        return self.said(all_runs=True) + self.logged(all_runs=True) + more

    def command(self, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        """Run `guichet …` on these data."""
        return subprocess.run(
            [sys.executable, "-m", "guichet", *arguments],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment(**settings),
            check=False,
        )

    def address(self) -> Address:
        """Its PostgreSQL, as the administrator reaches it."""
        found = running(self.data_dir)
        assert found is not None, f"nothing has these data: {self.tail()}"
        return found

    async def database(self, service: str) -> asyncpg.Connection:
        """A superuser's connection to a service's database."""
        url = with_database(self.address().admin_url(), f"guichet_{service}")
        connection: asyncpg.Connection = await asyncpg.connect(url, timeout=10)
        return connection

    def _read(self, path: Path, offset: int) -> str:
        return path.read_bytes()[offset:].decode(errors="replace") if path.exists() else ""


@contextmanager
def a_guichet(**settings: object) -> Iterator[Guichet]:
    """An installation that is yet to be started; nothing of it is left afterwards."""
    place = Path(tempfile.mkdtemp(prefix="guichet-up-"))
    place.chmod(0o711)  # root's PostgreSQL runs as a user who must come in
    guichet = Guichet(place, **settings)
    try:
        yield guichet
    finally:
        guichet.close()
        shutil.rmtree(place, ignore_errors=True)


def end_with_tests() -> None:
    """For `preexec_fn`: the process is killed when the tests end, however they do."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
