"""The cluster: `postgres/` in the data folder, made once by initdb, and its administrator."""

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from guichet.postgres.binaries import Binaries
from guichet.postgres.problems import OTHER_FOLDER, CannotStart, disk_full, told
from guichet.postgres.processes import RunAs, spawn

ADMIN = "postgres"
CLUSTER_BYTES = 40_000_000


@dataclass(frozen=True)
class Cluster:
    """Where the files of the embedded server stand in a data folder."""

    data_dir: Path

    @property
    def folder(self) -> Path:
        """What PostgreSQL calls its data directory."""
        return self.data_dir / "postgres"

    @property
    def fresh(self) -> Path:
        """Where initdb works; renamed when it is done, so that `folder` is whole or absent."""
        return self.data_dir / "postgres.new"

    @property
    def log(self) -> Path:
        """What the server says: of itself alone, no data and no statement."""
        return self.data_dir / "postgres.log"

    @property
    def password_file(self) -> Path:
        """Holds the administrator's password, which serves on this machine alone."""
        return self.data_dir / "postgres.password"

    @property
    def major(self) -> int | None:
        """The major version that made it; None if it is yet to be made."""
        try:
            return int((self.folder / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise CannotStart(
                f"The database in {self.folder} is damaged (PG_VERSION can't be read): put a backup"
                f" in its place, or {OTHER_FOLDER}."
            ) from error

    @property
    def port(self) -> int | None:
        """The port of the server that runs on it and is ready; None while there is none."""
        lines = self.pid_file_lines()
        return int(lines[3]) if len(lines) > 7 and lines[7] == "ready" else None

    def pid_file_lines(self) -> list[str]:
        """`postmaster.pid`: process, folder, start, port, socket's folder, address, key, state."""
        try:
            text = (self.folder / "postmaster.pid").read_text(errors="replace")
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines()]

    def password(self) -> str:
        """The administrator's password. Raises CannotStart where it is gone."""
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError as error:
            raise CannotStart(
                f"{self.password_file} is missing, without which the database in {self.folder}"
                f" can't be used: put it back, or {OTHER_FOLDER}."
            ) from error

    def check_owner(self, run_as: RunAs) -> None:
        """Raise CannotStart unless the cluster is of the user whom we would run it as."""
        if self.folder.exists() and not run_as.owns(self.folder):
            raise CannotStart(
                f"The database in {self.folder} was made by another user: start Guichet as that"
                f" user, or {OTHER_FOLDER}."
            )


def make(cluster: Cluster, binaries: Binaries, run_as: RunAs) -> None:
    """Run initdb; the cluster is there whole afterwards, or not at all. Raises CannotStart."""
    with told(cluster.data_dir):
        _store_password(cluster.password_file)
        shutil.rmtree(cluster.fresh, ignore_errors=True)
        cluster.fresh.mkdir(mode=0o700)
        run_as.give(cluster.fresh)
    try:
        _initdb(cluster, binaries, run_as)
        with told(cluster.data_dir):
            cluster.fresh.rename(cluster.folder)
            _sync_folder(cluster.data_dir)
    finally:
        shutil.rmtree(cluster.fresh, ignore_errors=True)


def _initdb(cluster: Cluster, binaries: Binaries, run_as: RunAs) -> None:
    reading, writing = os.pipe()  # the password touches no file that nobody could read
    os.write(writing, cluster.password().encode() + b"\n")
    os.close(writing)
    run_as.give(reading)
    command = [
        binaries.program("initdb"),
        "--pgdata",
        cluster.fresh,
        f"--username={ADMIN}",
        f"--pwfile=/proc/self/fd/{reading}",
        "--auth-host=scram-sha-256",
        "--auth-local=reject",
        "--encoding=UTF8",
        "--text-search-config=simple",
        "--data-checksums",
        "--no-instructions",
        *_locale(binaries.major),
    ]
    try:
        process = spawn(command, run_as, output=subprocess.PIPE, pass_fds=[reading])
    finally:
        os.close(reading)
    try:
        output, _ = process.communicate()
    except BaseException:  # Ctrl-C reaches us alone
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode != 0:
        raise _failure(cluster, output.decode(errors="replace"))


def _locale(major: int) -> list[str]:
    """UTF-8 with letters known as such and an order by code point, the same on every machine."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C", "--lc-ctype=C.UTF-8"]


def _failure(cluster: Cluster, output: str) -> CannotStart:
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return disk_full(cluster.data_dir)
    lines = [line for line in output.splitlines() if "FATAL" in line or "error:" in line]
    said = (lines or output.splitlines() or ["nothing"])[0].strip().rstrip(".")
    return CannotStart(
        f"The database could not be made in {cluster.folder}, as initdb said “{said}”:"
        f" mend this, or {OTHER_FOLDER}."
    )


def _store_password(path: Path) -> None:
    """Whole and on the disk before the cluster that it opens; one that is there is kept."""
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
