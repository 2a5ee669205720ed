"""`guichet up` where it can't start or go on: it says why, and what to do about it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.process import HOST, PROJECT, Guichet, a_guichet
from tests.support.terminal import (
    demo_password,
    sign_in_as_demo,
)
from tests.support.towns import Visitor
from tests.support.waiting import until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(300)]

ROOT = os.geteuid() == 0
root_only = pytest.mark.skipif(not ROOT, reason="only root may mount a disk")


def assert_told(guichet: Guichet, sentence: str, what_to_do: str) -> None:
    """It ended with status 1 and one sentence that says what is wrong and what to do."""
    assert guichet.ended() == 1, guichet.tail()
    told = [one for one in (guichet.said() + guichet.logged()).splitlines() if sentence in one]
    assert len(told) == 1, guichet.tail()
    assert what_to_do in told[0]
    assert "Traceback" not in guichet.tail()
    assert until(lambda: not guichet.servers())


@pytest.mark.parametrize(
    ("which", "setting"),
    [(0, "GUICHET_HTTP_PORT"), (1, "GUICHET_SMTP_PORT"), (2, "GUICHET_MAILBOX_PORT")],
)
def test_a_port_in_use_is_told(guichet: Guichet, which: int, setting: str) -> None:
    port = guichet.ports[which]
    with socket.create_server((HOST, port)):
        guichet.start()
        assert_told(guichet, f"Port {port} is used by another program", f"set {setting}")
    guichet.run()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_port", "eighty"),
        ("smtp_port", 70000),
        ("mailbox_port", 0),
        ("log_level", "LOUD"),
        ("log_format", "xml"),
        ("base_domain", "two words"),
        ("database_prefix", "a-b; DROP"),
        ("relay_timeout_s", "-1"),
        ("demo", "perhaps"),
    ],
)
def test_a_setting_with_a_bad_value_is_told(guichet: Guichet, name: str, value: object) -> None:
    guichet.start(**{name: value})
    assert_told(guichet, f"GUICHET_{name.upper()} can't be “{value}”", "correct it, or unset it")


@pytest.fixture
def closed_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which this user can write nothing: for root, on a disk that is read only."""
    if not ROOT:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o555)
        yield closed
        return
    with a_disk("ro,size=1m,mode=0755") as place:
        yield place


def test_a_folder_that_cannot_be_written_is_told(guichet: Guichet, closed_folder: Path) -> None:
    folder = closed_folder / "data"
    guichet.start(data_dir=folder)
    assert_told(guichet, f"{folder} can't be written by this user", "set GUICHET_DATA_DIR")


def test_a_folder_of_ours_that_cannot_be_written_is_told(guichet: Guichet) -> None:
    mailbox = guichet.data_dir / "mailbox"
    kept = mailbox.rename(mailbox.with_name("mailbox.kept"))
    mailbox.write_text("no folder")
    try:
        guichet.start()
        assert_told(guichet, f"{mailbox}", "set GUICHET_DATA_DIR to another folder")
    finally:
        mailbox.unlink()
        kept.rename(mailbox)


def test_a_second_start_on_the_same_data_is_told(guichet: Guichet) -> None:
    guichet.run()
    for ports in ({}, dict.fromkeys(("http_port", "smtp_port", "mailbox_port"))):
        taken = {name: _some_port() for name in ports}
        second = guichet.command("up", **taken)
        assert second.returncode == 1
        told = f"Guichet already runs on the data in {guichet.data_dir}"
        assert told in second.stdout
        assert "stop it first, or set GUICHET_DATA_DIR to another folder" in second.stdout
        assert "Traceback" not in second.stdout + second.stderr
    assert guichet.is_ready()


def _some_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def a_disk(options: str) -> Iterator[Path]:
    """A disk in memory, mounted with these options: only root may."""
    place = Path(tempfile.mkdtemp(prefix="guichet-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
        place.rmdir()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk with room for an installation and little else."""
    with a_disk("size=400m,mode=0755") as place:
        yield place


@root_only
async def test_a_full_disk_is_told_and_what_was_there_is_kept(small_disk: Path) -> None:
    with a_guichet(data_dir=small_disk / "data") as guichet:
        guichet.data_dir = small_disk / "data"
        guichet.run()
        password = demo_password(guichet)
        filler = small_disk / "filler"
        _fill(filler)
        # While it runs: an error page, or its end, told; never a lost page that was confirmed.
        visitor = Visitor(guichet.http_port)
        page = await visitor.once("GET", "/")
        assert page.status_code in {200, 500, 503}
        await visitor.close()
        if not guichet.has_ended():
            assert guichet.stop() in {0, 1}, guichet.tail()
        assert "Traceback" not in guichet.said()
        guichet.start()
        assert_told(guichet, f"The disk that holds {guichet.data_dir} has", "free some space")
        filler.unlink()
        guichet.run()
        assert demo_password(guichet) == password
        assert "Mon compte" in await sign_in_as_demo(guichet, password)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1_000_000))
        except OSError:
            pass


# ── A terminal that goes away ────────────────────────────────────────────────────────────────────


def is_no_more(status: Path) -> bool:
    """Has the process of this file ended, whether or not its parent has seen it?"""
    try:
        return "State:\tZ" in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("streams", ["2>/dev/null | head -1", "2>&1 | head -1", ">&- 2>&-"])
def test_output_that_nobody_reads_does_no_harm(guichet: Guichet, streams: str) -> None:
    script = f'"$0" -m guichet up {streams} & wait'
    shell = subprocess.Popen(
        ["/bin/sh", "-c", script, sys.executable],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=guichet.environment(),
        text=True,
        start_new_session=True,
    )
    try:
        assert until(guichet.is_ready, 60)
        pid = int((guichet.data_dir / "lock").read_text())
        status = Path(f"/proc/{pid}/status")
        assert guichet.is_ready()
        os.kill(pid, signal.SIGINT)
        assert until(lambda: is_no_more(status), 20)
        shell.communicate(timeout=20)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    assert until(lambda: not guichet.servers())
