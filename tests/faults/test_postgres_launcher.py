"""The embedded server under what befalls a machine, on real servers.

As root these run the server as root does, and again as an ordinary user, whom a process of its own
becomes. As an ordinary user they run as that user alone.
"""

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from guichet.postgres import (
    Address,
    Binaries,
    CannotStart,
    PostgresServer,
    Supervisor,
    find_binaries,
    folder,
    is_running,
    launcher,
    restart,
    running,
    start,
    stop,
)
from guichet.postgres.binaries import placed
from guichet.postgres.cluster import Cluster
from guichet.postgres.left_behind import processes_in
from guichet.postgres.processes import who
from tests.support.waiting import until

ROOT = os.geteuid() == 0
CLERK = pwd.getpwnam("daemon").pw_uid  # stands for an ordinary user: every machine has it
USERS = [None, CLERK] if ROOT else [None]
root_only = pytest.mark.skipif(not ROOT, reason="only root's server has another user")


def quiet(_line: str) -> None:
    """Nobody listens."""


def ask(url: str, statement: str, *values: Any) -> Any:
    """The first value that a statement gives, over a connection of its own."""

    async def asked() -> Any:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()

    return asyncio.run(asked())


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="guichet-launcher-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def data_dir(place: Path) -> Path:
    """A data folder that is yet to be made."""
    return place / "data"


@contextmanager
def served(data_dir: Path) -> Iterator[PostgresServer]:
    """A server for as long as the block lasts."""
    server = start(data_dir, say=quiet)
    try:
        yield server
    finally:
        stop(server)


@dataclass
class Child:
    """A process that was told to start a server, and what it answered."""

    process: subprocess.Popen[str]
    answer: dict[str, Any]

    def kill(self) -> None:
        """As the machine's memory guard does."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """Have it stop its server and end."""
        self.process.communicate()


@pytest.fixture
def begin(place: Path) -> Iterator[Callable[..., Child]]:
    """Starts processes, and ends them after the test."""
    children: list[Child] = []
    # The project may stand where an ordinary user can't go: the programs are put where it can.
    programs = placed(find_binaries(), place / "programs", who())

    def begin(data_dir: Path, uid: int | None, **options: Any) -> Child:
        arguments = [str(data_dir), *([str(uid)] if uid else [])]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.launcher_child", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "GUICHET_POSTGRES_BIN": str(programs.folder)},
            **options,
        )
        assert process.stdout
        child = Child(process, json.loads(process.stdout.readline()))
        children.append(child)
        return child

    yield begin
    for child in children:
        if child.process.poll() is None:
            child.end()


def folder_of(place: Path, uid: int | None) -> Path:
    """A folder of that user's own, in which its data may come to stand."""
    home = place / f"home-{uid or 'own'}"
    home.mkdir(mode=0o711)
    if uid:
        os.chown(home, uid, uid)
    return home


def machine_programs() -> list[Path]:
    """The folders of server programs that Debian installed here."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return [path.parent for path in found if path.parents[1].name in {"15", "16", "17", "18"}]


# ── Start, stop, and what stands on the disk ─────────────────────────────────────────────────────


def test_data_outlive_a_stop(data_dir: Path) -> None:
    with served(data_dir) as server:
        ask(server.admin_url(), "CREATE TABLE kept AS SELECT 42 AS n")
    assert not is_running(data_dir)
    with served(data_dir) as server:
        assert ask(server.admin_url(), "SELECT n FROM kept") == 42


@pytest.mark.parametrize("programs", machine_programs(), ids=lambda path: path.parent.name)
def test_the_distributions_programs_serve_as_well(
    data_dir: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUICHET_POSTGRES_BIN", str(programs))
    with served(data_dir) as server:
        assert server.binaries == Binaries(programs, int(programs.parent.name), "setting")
        assert ask(server.admin_url(), "SELECT lower('ÉCHANGES')") == "échanges"


def test_a_cluster_is_utf_8_sorts_alike_everywhere_and_counts_in_utc(data_dir: Path) -> None:
    with served(data_dir) as server:
        assert ask(server.admin_url(), "SHOW server_encoding") == "UTF8"
        assert ask(server.admin_url(), "SHOW timezone") == "UTC"
        assert ask(server.admin_url(), "SELECT lower('ÉCHANGES')") == "échanges"
        assert ask(server.admin_url(), "SELECT 'Z' < 'a'") is True
        assert ask(server.admin_url(), "SHOW data_checksums") == "on"


def test_a_deep_data_folder_serves(place: Path) -> None:
    deep = place.joinpath(*["a-folder-in-a-folder"] * 10)
    assert len(os.fsencode(deep)) > 200
    with served(deep) as server:
        assert ask(server.admin_url(), "SELECT 1") == 1


def test_only_who_has_the_password_gets_in(data_dir: Path) -> None:
    with served(data_dir) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(server.url("postgres", server.admin_user, "guessed"), "SELECT 1")
        assert ask(server.admin_url(), "SHOW unix_socket_directories") == ""
        assert ask(server.admin_url(), "SHOW listen_addresses") == "127.0.0.1"


def test_nobody_else_reads_the_data(data_dir: Path) -> None:
    old = os.umask(0o000)
    try:
        with served(data_dir):
            pass
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in data_dir.iterdir()}
    assert modes.pop("bin", 0o755) == 0o755
    assert modes == {
        "lock": 0o600,
        "postgres": 0o700,
        "postgres.log": 0o600,
        "postgres.password": 0o600,
    }
    assert data_dir.stat().st_mode & 0o777 == (0o711 if ROOT else 0o700)


@root_only
def test_roots_server_runs_as_nobody_on_programs_of_its_own(data_dir: Path) -> None:
    old = os.umask(0o077)
    try:
        with served(data_dir) as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid == who().uid != 0
            assert server.binaries.folder.is_relative_to(data_dir / "bin")
    finally:
        os.umask(old)


def test_the_server_is_out_of_reach_of_ctrl_c_and_holds_no_lock(data_dir: Path) -> None:
    with served(data_dir) as server:
        assert os.getsid(server.pid) == server.pid != os.getsid(0)
        assert os.getpgid(server.pid) != os.getpgid(0)
        opened = [path.readlink() for path in Path(f"/proc/{server.pid}/fd").iterdir()]
        assert data_dir / "lock" not in opened


def test_no_word_that_a_statement_holds_reaches_the_log(data_dir: Path) -> None:
    mark = "dupont@mairie.example"
    with served(data_dir) as server:
        url = server.admin_url()
        ask(url, "CREATE TABLE people (address text PRIMARY KEY, age int CHECK (age > 0))")
        ask(url, "INSERT INTO people VALUES ($1, 40)", mark)
        for statement, values in (
            ("INSERT INTO people VALUES ($1, 41)", [mark]),
            (f"INSERT INTO people VALUES ('{mark}', 41)", []),
            ("INSERT INTO people VALUES ($1, -1)", [mark + "x"]),
            (f"SELECT '{mark}'::int", []),
            ("SELECT $1::text::int", [mark]),
            (f"SELECT nothing, '{mark}'", []),
        ):
            with pytest.raises(asyncpg.PostgresError):
                ask(url, statement, *values)
        asyncio.run(_killed_while_at(url, f"SELECT pg_sleep(60), '{mark}'"))
    log = (data_dir / "postgres.log").read_text()
    assert "was terminated by signal 9" in log
    assert mark not in log


async def _killed_while_at(url: str, statement: str) -> None:
    """Kill the backend that runs a statement: the server then says what it knows of it."""
    connection = await asyncpg.connect(url)
    backend = await connection.fetchval("SELECT pg_backend_pid()")
    at_work = asyncio.create_task(connection.execute(statement))
    await asyncio.sleep(0.05)
    os.kill(backend, signal.SIGKILL)
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await at_work


# ── One process has the data ─────────────────────────────────────────────────────────────────────


def test_a_second_start_on_the_same_data_is_refused(
    data_dir: Path, begin: Callable[..., Child]
) -> None:
    assert running(data_dir) is None
    with served(data_dir) as server:
        refusal = begin(data_dir, None).answer["refused"]
        assert refusal.startswith(f"Guichet already runs on the data in {data_dir}")
        assert f"(process {os.getpid()})" in refusal
        assert is_running(data_dir)
        found = running(data_dir)
        assert isinstance(found, Address)
        assert found.admin_url() == server.admin_url()
    assert running(data_dir) is None


def test_a_start_bears_with_one_who_only_asks(data_dir: Path) -> None:
    with served(data_dir):
        pass
    asker = (data_dir / "lock").open("rb")
    assert folder._lock(asker)
    threading.Timer(0.2, asker.close).start()
    with served(data_dir):
        assert is_running(data_dir)


# ── Ends of all kinds ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("uid", USERS)
def test_a_killed_process_takes_its_server_along_and_loses_nothing(
    place: Path, begin: Callable[..., Child], uid: int | None
) -> None:
    data_dir = folder_of(place, uid) / "data"
    child = begin(data_dir, uid)
    ask(child.answer["url"], "CREATE TABLE kept AS SELECT 42 AS n")
    if uid:
        assert (data_dir / "postgres").stat().st_uid == uid
    child.kill()
    again = begin(data_dir, uid)  # at once: it ends or outwaits what is still there
    assert ask(again.answer["url"], "SELECT n FROM kept") == 42
    again.kill()
    assert until(lambda: not processes_in(data_dir / "postgres"))


def test_a_server_left_behind_is_stopped(data_dir: Path) -> None:
    left = start(data_dir, say=quiet)
    left.lock.release()  # as if we had ended and it had not
    said: list[str] = []
    server = start(data_dir, say=said.append)
    try:
        assert said == ["Stopping a database server that was left behind."]
        assert left.process.poll() == 0
        assert processes_in(data_dir / "postgres")[0] == server.pid
    finally:
        stop(server)


@pytest.mark.parametrize("buried_after_s", [0.2, None], ids=["in time", "never"])
def test_the_zombie_of_a_killed_server_does_not_hinder(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, buried_after_s: float | None
) -> None:
    monkeypatch.setattr("guichet.postgres.left_behind.REAPED_S", 0.5)
    left = start(data_dir, say=quiet)
    left.lock.release()
    left.process.send_signal(signal.SIGKILL)
    burial = threading.Timer(buried_after_s or 0, left.process.wait)
    if buried_after_s:
        burial.start()
    with served(data_dir) as server:
        assert ask(server.admin_url(), "SELECT 1") == 1
    left.process.wait()


def test_a_pid_file_that_names_another_program_does_not_hinder(data_dir: Path) -> None:
    server = start(data_dir, say=quiet)
    server.process.kill()
    server.process.wait()
    stop(server)
    pid_file = data_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with served(data_dir) as server:
        assert ask(server.admin_url(), "SELECT 1") == 1


def test_a_start_that_was_cut_off_leaves_no_half_made_database(data_dir: Path) -> None:
    half = data_dir / "postgres.new"
    half.mkdir(parents=True)
    data_dir.chmod(0o711)
    (half / "PG_VERSION").write_text("18\n")
    with served(data_dir) as server:
        assert ask(server.admin_url(), "SELECT 1") == 1
    assert not half.exists()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGQUIT])
def test_a_server_that_died_is_started_again_on_its_port(data_dir: Path, signum: int) -> None:
    server = start(data_dir, say=quiet)
    try:
        ask(server.admin_url(), "CREATE TABLE kept AS SELECT 42 AS n")
        os.kill(server.pid, signum)
        server = restart(server, say=quiet)
        assert ask(server.admin_url(), "SELECT n FROM kept") == 42
    finally:
        stop(server)


async def test_the_supervisor_starts_a_killed_server_again(data_dir: Path) -> None:
    first = start(data_dir, say=quiet)
    supervisor = Supervisor(first, say=quiet)
    watch = asyncio.create_task(supervisor.run())
    try:
        connection = await asyncpg.connect(first.admin_url())
        asleep = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))  # an orphan to be
        await asyncio.sleep(0.05)
        os.kill(first.pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while supervisor.server is first:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        with pytest.raises(asyncpg.PostgresConnectionError):
            await asleep
        assert supervisor.server.port == first.port
        connection = await asyncpg.connect(first.admin_url())
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    finally:
        watch.cancel()
        stop(supervisor.server)


async def test_the_supervisor_gives_up_on_a_server_that_keeps_dying(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guichet.postgres.supervisor.DEATHS_BORNE", 2)
    server = start(data_dir, say=quiet)
    supervisor = Supervisor(server, say=quiet)
    watch = asyncio.create_task(supervisor.run())
    try:
        server.process.kill()
        async with asyncio.timeout(20):
            while supervisor.server is server:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        supervisor.server.process.kill()
        with pytest.raises(CannotStart, match="ended 2 times within a minute"):
            await asyncio.wait_for(watch, 20)
    finally:
        stop(supervisor.server)


def test_a_port_lost_to_another_program_is_replaced(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_port = launcher._free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr(launcher, "_free_port", lambda: next(ports))
        with served(data_dir) as server:
            assert server.port != taken.getsockname()[1]


# ── What is refused, in a sentence ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("uid", [CLERK] if ROOT else [None])
def test_a_folder_that_cannot_be_written_is_named(
    place: Path, begin: Callable[..., Child], uid: int | None
) -> None:
    place.chmod(0o555)
    refusal = begin(place / "data", uid).answer["refused"]
    place.chmod(0o711)
    assert refusal.startswith(f"{place / 'data'} can't be written by this user")
    assert "GUICHET_DATA_DIR" in refusal


def test_a_file_in_the_place_of_the_folder_is_named(place: Path) -> None:
    (place / "data").write_text("not a folder")
    with pytest.raises(CannotStart, match=r"The data folder .*/data can't be used"):
        start(place / "data", say=quiet)


@pytest.fixture
def small_disk(place: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a disk of so many megabytes. Only root may, and not in every container."""
    mounted: list[Path] = []

    def make(megabytes: int) -> Path:
        disk = place / "disk"
        disk.mkdir()
        options = f"size={megabytes}m,mode=0755"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True
        )
        if done.returncode != 0:
            pytest.skip("this root may not mount")
        mounted.append(disk)
        return disk

    yield make
    for disk in mounted:
        subprocess.run(["umount", disk], check=True)


@root_only
def test_a_disk_with_too_little_room_is_told_beforehand(
    small_disk: Callable[[int], Path],
) -> None:
    data_dir = small_disk(60) / "data"
    with pytest.raises(CannotStart, match=r"has \d+ MB left, and Guichet needs 140 MB to start"):
        start(data_dir, say=quiet)
    assert not (data_dir / "postgres").exists()
    assert not is_running(data_dir)


@root_only
@pytest.mark.parametrize("megabytes", [1, 40], ids=["for the programs", "for the database"])
def test_a_disk_that_fills_while_the_database_is_made_is_told(
    small_disk: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch, megabytes: int
) -> None:
    monkeypatch.setattr(folder, "need_room", lambda *_: None)
    data_dir = small_disk(megabytes) / "data"
    with pytest.raises(CannotStart, match=rf"The disk that holds {data_dir} is full"):
        start(data_dir, say=quiet)
    assert not (data_dir / "postgres").exists()
    assert not (data_dir / "postgres.new").exists()


@root_only
def test_a_disk_that_is_full_at_a_later_start_is_told(
    small_disk: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = small_disk(160)
    with served(disk / "data"):
        pass
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free))
    with pytest.raises(CannotStart, match="has 0 MB left"):
        start(disk / "data", say=quiet)
    monkeypatch.setattr(folder, "need_room", lambda *_: None)
    with pytest.raises(CannotStart, match="is full: free some space"):
        start(disk / "data", say=quiet)
    filler.unlink()
    with served(disk / "data") as server:
        assert ask(server.admin_url(), "SELECT 1") == 1


@pytest.mark.parametrize("uid", [CLERK] if ROOT else [None])
def test_a_database_that_cannot_be_made_says_what_was_wrong(
    place: Path, begin: Callable[..., Child], uid: int | None
) -> None:
    data_dir = folder_of(place, uid) / "data"
    limited = begin(data_dir, uid, preexec_fn=_limit_files)
    assert limited.answer["refused"].startswith(
        f"The database could not be made in {data_dir / 'postgres'}, as initdb said “"
    )
    assert not (data_dir / "postgres").exists()
    assert ask(begin(data_dir, uid).answer["url"], "SELECT 1") == 1


def _limit_files() -> None:
    import resource  # used in the child alone

    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


@root_only
def test_a_parent_that_nobody_cannot_enter_is_named_and_stays_closed(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(CannotStart, match=rf"nobody, who can't enter {closed}:"):
        start(closed / "deeper" / "data", say=quiet)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert list(closed.iterdir()) == []


@root_only
def test_a_folder_that_was_somebodys_before_is_not_opened(place: Path) -> None:
    somebodys = place / "somebodys"
    somebodys.mkdir(mode=0o700)
    (somebodys / "letter").write_text("private")
    with pytest.raises(CannotStart, match=rf"nobody, who can't enter {somebodys}:"):
        start(somebodys, say=quiet)
    assert somebodys.stat().st_mode & 0o777 == 0o700


@root_only
def test_data_of_another_user_are_refused(place: Path, begin: Callable[..., Child]) -> None:
    data_dir = folder_of(place, CLERK) / "data"
    begin(data_dir, CLERK).end()
    with pytest.raises(CannotStart, match="was made by another user: start Guichet as that user"):
        start(data_dir, say=quiet)


def test_data_of_another_version_are_told(data_dir: Path) -> None:
    with served(data_dir):
        pass
    version = data_dir / "postgres" / "PG_VERSION"
    version.write_text("14\n")
    with pytest.raises(CannotStart, match=r"of PostgreSQL 14, and the programs at hand of .*18"):
        start(data_dir, say=quiet)
    assert Cluster(data_dir).major == 14


def test_a_password_that_is_gone_is_told(data_dir: Path) -> None:
    with served(data_dir):
        pass
    (data_dir / "postgres.password").unlink()
    with pytest.raises(CannotStart, match=r"postgres\.password is missing"):
        start(data_dir, say=quiet)
    assert not processes_in(data_dir / "postgres")
