"""Starting the embedded server, stopping it, and starting it again after it died.

The server listens on 127.0.0.1 alone, at a port chosen at each start, and has no socket: a deep
data folder breaks a socket's limit of 107 bytes. It ends with the thread that started it.
"""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import quote

from guichet.postgres import folder
from guichet.postgres.binaries import PLACED_BYTES, Binaries, find_binaries, placed
from guichet.postgres.cluster import ADMIN, CLUSTER_BYTES, Cluster, make
from guichet.postgres.left_behind import LOOK_S, end_left_behind
from guichet.postgres.problems import OTHER_FOLDER, CannotStart, disk_full, told
from guichet.postgres.processes import RunAs, spawn, who

HOST = "127.0.0.1"
PORTS_TRIED = 5
READY_WITHIN_S = 120  # recovery after a crash reads at most max_wal_size
LOG_KEPT_BYTES = 5_000_000

SETTINGS = {
    "cluster_name": "guichet",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    # A small server, but one that loses nothing.
    "max_connections": "100",
    "shared_buffers": "32MB",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    # The log holds no statement, no parameter and no detail, nor an error's own words: each may
    # hold what a customer typed. Who sent the statement gets them, and logs a code.
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}
SINCE_18 = {"io_method": "sync"}  # three processes fewer


@dataclass(frozen=True)
class Address:
    """How the administrator reaches a server."""

    host: str
    port: int
    admin_user: str
    admin_password: str

    def url(self, database: str, user: str, password: str) -> str:
        """The address of a database on this server, for that user."""
        return (
            f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}"
            f"@{self.host}:{self.port}/{quote(database, safe='')}"
        )

    def admin_url(self, database: str = "postgres") -> str:
        """The same for the administrator."""
        return self.url(database, self.admin_user, self.admin_password)


@dataclass(frozen=True)
class PostgresServer(Address):
    """A server that this process started and that ends with it."""

    pid: int
    process: subprocess.Popen[bytes]
    data_dir: Path
    binaries: Binaries
    lock: folder.Lock


def start(data_dir: Path, *, say: Callable[[str], None]) -> PostgresServer:
    """Start the server on these data, making them if need be, and return when it answers.

    Called from the main thread, with whose end the server ends. `say` is given a line for what
    takes long. Raises CannotStart.
    """
    _check_thread()
    data_dir = data_dir.expanduser().resolve()
    run_as, cluster = who(), Cluster(data_dir)
    with told(data_dir):
        cluster.check_owner(run_as)
    lock = folder.take(data_dir, run_as)
    try:
        _finish(end_left_behind(cluster, say))
        binaries = find_binaries(cluster.major)
        first = cluster.major is None
        placing = run_as.other and binaries.source == "wheel"
        folder.need_room(data_dir, first * CLUSTER_BYTES + (first and placing) * PLACED_BYTES)
        binaries = placed(binaries, data_dir / "bin", run_as)
        if first:
            say("Preparing the database.")
            make(cluster, binaries, run_as)
        return _finish(_open_on_free_port(cluster, binaries, run_as, lock))
    except BaseException:
        lock.release()
        raise


def stop(server: PostgresServer, timeout_s: float = 10) -> None:
    """Shut the server down and let go of its data. What takes longer is ended without a checkpoint:
    the next start then recovers from the log, losing nothing.
    """
    _end(server.process, timeout_s)
    server.lock.release()


def restart(server: PostgresServer, *, say: Callable[[str], None]) -> PostgresServer:
    """Start a server that died again: the same data, the same port. Raises CannotStart."""
    return _finish(restarting(server, say=say))


def restarting(
    server: PostgresServer, *, say: Callable[[str], None]
) -> Generator[float, None, PostgresServer]:
    """`restart` in steps, each of which yields how many seconds to wait before the next."""
    _check_thread()
    _end(server.process, 0)
    run_as, cluster = who(), Cluster(server.data_dir)
    yield from end_left_behind(cluster, say)
    for _ in range(PORTS_TRIED):
        try:
            process = yield from _open(cluster, server.binaries, run_as, server.port)
        except _PortTaken:
            yield 1.0
            continue
        return replace(server, pid=process.pid, process=process)
    raise CannotStart(
        f"Another program took port {server.port} while the database was down: start Guichet again."
    )


def running(data_dir: Path, timeout_s: float = 30) -> Address | None:
    """The server of the process that has these data now; None where no process has them.

    One that is just starting is waited for. Raises CannotStart if it does not get ready.
    """
    cluster = Cluster(data_dir.expanduser().resolve())
    deadline = time.monotonic() + timeout_s
    while folder.is_running(cluster.data_dir):
        with told(cluster.data_dir):
            if (port := cluster.port) is not None:
                return Address(HOST, port, ADMIN, cluster.password())
        if time.monotonic() > deadline:
            raise CannotStart(
                f"Guichet runs on the data in {data_dir}, but its database does not get ready:"
                " stop it and start it again."
            )
        time.sleep(LOOK_S)
    return None


class _PortTaken(Exception):
    """Another program was quicker."""


_T = TypeVar("_T")


def _finish(steps: Generator[float, None, _T]) -> _T:
    while True:
        try:
            time.sleep(next(steps))
        except StopIteration as end:
            result: _T = end.value
            return result


def _check_thread() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("The server ends with the thread that starts it: use the main thread.")


def _open_on_free_port(
    cluster: Cluster, binaries: Binaries, run_as: RunAs, lock: folder.Lock
) -> Generator[float, None, PostgresServer]:
    password = cluster.password()
    for _ in range(PORTS_TRIED):
        port = _free_port()
        try:
            process = yield from _open(cluster, binaries, run_as, port)
        except _PortTaken:
            continue
        return PostgresServer(
            HOST,
            port,
            ADMIN,
            password,
            pid=process.pid,
            process=process,
            data_dir=cluster.data_dir,
            binaries=binaries,
            lock=lock,
        )
    raise CannotStart(
        f"No port of {HOST} could be had for the database: end a program that holds many of them."
    )


def _open(
    cluster: Cluster, binaries: Binaries, run_as: RunAs, port: int
) -> Generator[float, None, subprocess.Popen[bytes]]:
    """Start the server and wait until it takes connections."""
    settings = SETTINGS | (SINCE_18 if binaries.major >= 18 else {}) | {"port": str(port)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [binaries.program("postgres"), "-D", cluster.folder, *options]
    with told(cluster.data_dir):
        log = _open_log(cluster.log)
    with log:
        said_before = log.tell()
        process = spawn(command, run_as, output=log)
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while [str(process.pid)] != cluster.pid_file_lines()[:1] or cluster.port is None:
            if process.poll() is not None:
                raise _failure(cluster, said_before)
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"The database did not get ready within {READY_WITHIN_S} seconds:"
                    f" see {cluster.log}, then start again."
                )
            yield LOOK_S
    except BaseException:
        _end(process, 10)
        raise
    return process


def _failure(cluster: Cluster, said_before: int) -> CannotStart | _PortTaken:
    said = cluster.log.read_bytes()[said_before:].decode(errors="replace")
    if "Address already in use" in said:
        return _PortTaken()
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return disk_full(cluster.data_dir)
    fatal = re.findall(r"(?:FATAL|PANIC): +(.+)", said) or [said.strip() or "nothing"]
    return CannotStart(
        f"The database could not be started, as it said “{fatal[-1].rstrip('.')}”:"
        f" see {cluster.log}, mend this, or {OTHER_FOLDER}."
    )


def _end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    for signum, patience_s in (
        (signal.SIGINT, timeout_s),
        (signal.SIGQUIT, 5),
        (signal.SIGKILL, 5),
    ):
        if process.poll() is None:
            process.send_signal(signum)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience_s)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
