"""`guichet up` in a terminal: starts, ends of all kinds, refusals, and commands beside it.

One installation is made once and then started again and again on the same data.
"""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from guichet.demo_data import DEMOS
from tests.support.installation import link_in
from tests.support.post_office import PostOffice
from tests.support.process import HOST, PROJECT, Guichet, a_guichet
from tests.support.towns import PASSWORD, Town, Visitor, words_of
from tests.support.waiting import until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(300)]

ROOT = os.geteuid() == 0
root_only = pytest.mark.skipif(not ROOT, reason="only root may mount a disk")

LIVE_WITHIN_S = 1.0
SECONDS = 30.0
"""What a second start may take on a machine that does much else: see docs/reliability.md."""


@pytest.fixture(scope="module")
def post_office() -> Iterator[PostOffice]:
    """Where its mails go."""
    office = PostOffice()
    yield office
    office.close()


@pytest.fixture(scope="module")
def made(post_office: PostOffice) -> Iterator[Guichet]:
    """An installation that has been started once, and stopped."""
    with a_guichet(
        relay_host=HOST, relay_port=post_office.port, guarded_posts_a_minute=0
    ) as guichet:
        guichet.run()
        assert guichet.stop() == 0, guichet.tail()
        yield guichet


@pytest.fixture
def guichet(made: Guichet) -> Iterator[Guichet]:
    """The same, at rest before and after."""
    yield made
    if not made.has_ended():
        made.kill()
    assert until(lambda: not made.servers()), "PostgreSQL was left behind"


def demo_password(guichet: Guichet) -> str:
    """As the terminal showed it."""
    shown = re.search(r"^ {4}demo +password (\S+) ", guichet.said(), re.MULTILINE)
    assert shown is not None, guichet.said()
    return shown[1]


def assert_told(guichet: Guichet, sentence: str, what_to_do: str) -> None:
    """It ended with status 1 and one sentence that says what is wrong and what to do."""
    assert guichet.ended() == 1, guichet.tail()
    told = [one for one in (guichet.said() + guichet.logged()).splitlines() if sentence in one]
    assert len(told) == 1, guichet.tail()
    assert what_to_do in told[0]
    assert "Traceback" not in guichet.tail()
    assert until(lambda: not guichet.servers())


async def sign_in_as_demo(guichet: Guichet, password: str) -> str:
    """The words of the page that a demo customer gets to."""
    visitor = Visitor(guichet.http_port)
    page = await visitor.press(
        await visitor.get("/sign-in"), "/sign-in", username="demo", password=password
    )
    await visitor.close()
    return words_of(page)


# ── Starting ─────────────────────────────────────────────────────────────────────────────────────


def test_a_start_prints_where_the_portal_is_and_how_to_sign_in(guichet: Guichet) -> None:
    guichet.run()
    http, smtp, mailbox = guichet.ports
    said = guichet.said()
    for slug in DEMOS:
        assert f"http://{slug}.localhost:{http}" in said
    assert f"http://localhost:{mailbox}" in said
    assert f"SMTP on {smtp}" in said
    assert "Ctrl-C" in said
    kept = (guichet.data_dir / "demo.txt").read_text()
    assert demo_password(guichet) in kept
    assert (guichet.data_dir / "demo.txt").stat().st_mode & 0o777 == 0o600


async def test_a_second_start_takes_seconds_and_keeps_data_and_password(
    guichet: Guichet, post_office: PostOffice
) -> None:
    guichet.run()
    password = demo_password(guichet)
    town = Town("oullins", Visitor(guichet.http_port), post_office)
    await town.registers()
    await town.activates()
    number = await town.files("une marque")
    assert guichet.stop() == 0
    began = time.monotonic()
    guichet.run()
    assert time.monotonic() - began < SECONDS
    assert demo_password(guichet) == password
    assert "Mon compte" in await sign_in_as_demo(guichet, password)
    assert number in words_of(await town.visitor.get("/requests"))  # the session lives on, too
    await town.visitor.close()


async def test_a_killed_one_recovers(guichet: Guichet) -> None:
    guichet.run()
    password = demo_password(guichet)
    guichet.kill()
    guichet.run()
    assert "Mon compte" in await sign_in_as_demo(guichet, password)


async def test_one_that_lost_its_postgresql_too_recovers(guichet: Guichet) -> None:
    guichet.run()
    password = demo_password(guichet)
    postmaster = guichet.postmaster()
    os.kill(guichet.pid, signal.SIGSTOP)  # it can't start it again
    os.kill(postmaster, signal.SIGKILL)
    guichet.kill()
    guichet.run()
    assert "Mon compte" in await sign_in_as_demo(guichet, password)


async def test_a_first_start_that_is_killed_again_and_again_comes_up_in_the_end() -> None:
    with a_guichet() as guichet:
        for moment in (
            "Guichet starts",
            "Preparing the database",
            "postgres.password",
            "postgres",
            "keys",
            "demo.txt",
        ):
            guichet.start()
            assert until(partial(_has_come_to, guichet, moment), 60), guichet.tail()
            guichet.kill()
        guichet.run()
        assert "Mon compte" in await sign_in_as_demo(guichet, demo_password(guichet))


def _has_come_to(guichet: Guichet, moment: str) -> bool:
    """Did it say that, or make that file?"""
    return (guichet.data_dir / moment).exists() or moment in guichet.said()


# ── Stopping ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_stops_everything_cleanly(guichet: Guichet, signum: signal.Signals) -> None:
    guichet.run()
    began = time.monotonic()
    assert guichet.stop(signum) == 0, guichet.tail()
    assert time.monotonic() - began < 15
    assert guichet.servers() == []
    assert guichet.said().endswith("Guichet has stopped. Everything is kept.\n")
    assert "Traceback" not in guichet.tail()
    assert '"level": "warning"' not in guichet.logged()
    assert '"level": "error"' not in guichet.logged()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("moment", ["an instant", "its PostgreSQL", "the mailbox"])
def test_a_signal_while_it_starts_stops_it_too(
    guichet: Guichet, signum: signal.Signals, moment: str
) -> None:
    def has_come() -> bool:
        if moment == "its PostgreSQL":
            return bool(guichet.servers())
        if moment == "the mailbox":
            return answers(guichet.ports[1])
        return "Guichet starts" in guichet.said()

    guichet.start()
    assert until(has_come, 60), guichet.tail()
    assert guichet.stop(signum) == 0, guichet.tail()
    assert guichet.servers() == []
    assert "Traceback" not in guichet.tail()
    assert "KeyboardInterrupt" not in guichet.tail()


def test_a_signal_before_anything_has_started_ends_it_without_a_word(guichet: Guichet) -> None:
    guichet.start()
    assert until(lambda: b"guichet" in Path(f"/proc/{guichet.pid}/cmdline").read_bytes())
    assert until(lambda: _catches(guichet.pid, signal.SIGTERM))
    if guichet.said() == "":
        assert guichet.stop() in {0, 130}
    assert "Traceback" not in guichet.tail()


def test_ctrl_c_twice_ends_at_once_and_loses_nothing(guichet: Guichet) -> None:
    guichet.run()
    with half_a_request(guichet):  # which the first one waits for
        guichet.send(signal.SIGINT)
        assert until(lambda: "Guichet stops" in guichet.said())
        began = time.monotonic()
        assert guichet.stop(within_s=5) == 130
        assert time.monotonic() - began < 2
    assert until(lambda: not guichet.servers())
    guichet.run()


async def test_a_request_that_is_under_way_is_finished(guichet: Guichet) -> None:
    guichet.run()
    with half_a_request(guichet) as (connection, rest):
        guichet.send(signal.SIGINT)
        assert await asyncio.to_thread(until, lambda: "Guichet stops" in guichet.said())
        assert await asyncio.to_thread(until, lambda: not answers(guichet.http_port))
        connection.sendall(rest)
        answer = await asyncio.to_thread(_all_from, connection)
    assert answer.startswith(b"HTTP/1.1 422")
    assert answer.endswith(b"</html>\n") or b"</html>" in answer
    assert guichet.ended() == 0, guichet.tail()
    assert "Traceback" not in guichet.tail()


def test_a_request_that_never_ends_does_not_hold_it_up(guichet: Guichet) -> None:
    guichet.run()
    with half_a_request(guichet):
        began = time.monotonic()
        assert guichet.stop() == 0, guichet.tail()
        assert 9 < time.monotonic() - began < 25
    assert guichet.servers() == []


class half_a_request:  # noqa: N801  used as a `with` only
    """A sign-in whose body has come to the half; gives the connection and what is missing."""

    def __init__(self, guichet: Guichet) -> None:
        body = b"username=demo&password=wrong"
        head = (
            f"POST /sign-in HTTP/1.1\r\nHost: ypok.localhost:{guichet.http_port}\r\n"
            "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        self._connection = socket.create_connection((HOST, guichet.http_port), timeout=30)
        self._connection.sendall(head + body[:10])
        self._rest = body[10:]
        time.sleep(0.3)  # nothing tells that the half has been read

    def __enter__(self) -> tuple[socket.socket, bytes]:
        return self._connection, self._rest

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _all_from(connection: socket.socket) -> bytes:
    """Whatever comes until the other side has closed."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def answers(port: int) -> bool:
    """Does somebody take connections there?"""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _catches(pid: int, signum: signal.Signals) -> bool:
    """Has the process a handler of its own for this signal?"""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (signum - 1) & 1)
    return False


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────


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
        assert until(lambda: not status.exists() or "State:\tZ" in status.read_text(), 20)
        shell.communicate(timeout=20)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    assert until(lambda: not guichet.servers())


# ── Commands beside it, and without it ───────────────────────────────────────────────────────────


async def status_of(guichet: Guichet, slug: str, path: str = "/") -> int:
    """What a visitor of that tenant gets."""
    visitor = Visitor(guichet.http_port, host=f"{slug}.localhost")
    try:
        return (await visitor.once("GET", path)).status_code
    finally:
        await visitor.close()


async def comes_to(guichet: Guichet, slug: str, wanted: int, path: str = "/") -> float:
    """How long it takes until a visitor of that tenant gets this status, in seconds."""
    began = time.monotonic()
    while await status_of(guichet, slug, path) != wanted:
        assert time.monotonic() - began < 20, f"{slug}{path} never came to {wanted}"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def run(guichet: Guichet, *arguments: str, status: int = 0) -> str:
    """Run a command. Answers what it said."""
    done = await asyncio.to_thread(guichet.command, *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


async def test_a_tenant_lives_within_a_second_of_its_command(guichet: Guichet) -> None:
    guichet.run()
    assert await status_of(guichet, "vaulx") == 404  # the gateway remembers for a while
    created = await run(guichet, "tenant", "create", "vaulx", "--name", "Vaulx")
    assert f"http://vaulx.localhost:{guichet.http_port}" in created
    assert await comes_to(guichet, "vaulx", 200) < LIVE_WITHIN_S

    assert re.search(r"^vaulx +active ", await run(guichet, "tenant", "list"), re.MULTILINE)
    assert "name: Vaulx" in await run(guichet, "tenant", "show", "vaulx")
    again = await run(guichet, "tenant", "create", "vaulx", status=1)
    assert len(again.strip().splitlines()) == 1

    assert "suspended" in await run(guichet, "tenant", "suspend", "vaulx")
    assert await comes_to(guichet, "vaulx", 503) < LIVE_WITHIN_S
    assert await status_of(guichet, "ypok") == 200
    await run(guichet, "tenant", "resume", "vaulx")
    assert await comes_to(guichet, "vaulx", 200) < LIVE_WITHIN_S

    nobody = await run(guichet, "tenant", "suspend", "nobody", status=1)
    assert "There is no tenant nobody" in nobody


async def test_a_catalogue_is_live_within_a_second_of_its_import(
    guichet: Guichet, tmp_path: Path
) -> None:
    guichet.run()
    await run(guichet, "tenant", "create", "bron")
    catalogue = PROJECT / "guichet" / "demo" / "ypok" / "catalogue.yaml"
    assert "new " in await run(guichet, "catalog", "import", "bron", str(catalogue))
    assert await comes_to(guichet, "bron", 303, "/procedures/assistance-pve") < LIVE_WITHIN_S
    assert await comes_to(guichet, "bron", 200, "/categories/pve") < LIVE_WITHIN_S
    again = await run(guichet, "catalog", "import", "bron", str(catalogue))
    assert "Nothing changed." in again
    broken = tmp_path / "broken.yaml"
    broken.write_text("language: fr\ncategories: 3\n")
    await run(guichet, "catalog", "import", "bron", str(broken), status=1)
    await run(guichet, "catalog", "import", "bron", str(tmp_path / "none.yaml"), status=1)


async def test_an_invited_administrator_gets_the_page_of_j3(
    guichet: Guichet, post_office: PostOffice
) -> None:
    guichet.run()
    address = "direction@feyzin.example"
    await run(guichet, "tenant", "create", "feyzin", "--admin", address)
    mail = await mail_to(post_office, address)
    visitor = Visitor(guichet.http_port, host="feyzin.localhost")
    link = urlsplit(link_in(mail))
    assert link.netloc == f"feyzin.localhost:{guichet.http_port}"
    page = await visitor.get(f"{link.path}?{link.query}")
    assert "Pour finaliser l'activation de votre compte" in words_of(page)
    page = await visitor.press(
        page, username="direction", password=PASSWORD, password_again=PASSWORD
    )
    assert "Mon compte" in words_of(page)
    await visitor.close()


async def test_an_erased_account_is_out_within_a_second(
    guichet: Guichet, post_office: PostOffice
) -> None:
    guichet.run()
    town = Town("decines", Visitor(guichet.http_port), post_office)
    await town.registers()
    await town.activates()
    await town.files("une marque")
    page = await town.visitor.once("GET", "/requests")
    assert page.status_code == 200
    await run(guichet, "account", "erase", "ypok", "nobody", status=1)
    assert "erased" in await run(guichet, "account", "erase", "ypok", town.username)
    began = time.monotonic()
    while (await town.visitor.once("GET", "/requests")).status_code != 303:
        assert time.monotonic() - began < LIVE_WITHIN_S
        await asyncio.sleep(0.02)
    await town.visitor.close()


async def test_commands_work_where_nothing_runs_and_take_effect_at_the_next_start(
    guichet: Guichet, post_office: PostOffice
) -> None:
    address = "direction@irigny.example"
    await run(guichet, "tenant", "create", "irigny", "--admin", address)
    catalogue = PROJECT / "guichet" / "demo" / "ypok" / "catalogue.yaml"
    await run(guichet, "catalog", "import", "irigny", str(catalogue))
    await run(guichet, "tenant", "create", "ternay")
    await run(guichet, "tenant", "suspend", "ternay")
    listed = await run(guichet, "tenant", "list")
    assert re.search(r"^irigny +active ", listed, re.MULTILINE)
    assert re.search(r"^ternay +suspended ", listed, re.MULTILINE)
    assert guichet.servers() == []
    guichet.run()
    assert await comes_to(guichet, "irigny", 200) < LIVE_WITHIN_S
    assert await status_of(guichet, "ternay") == 503
    assert await comes_to(guichet, "irigny", 303, "/procedures/assistance-pve") < LIVE_WITHIN_S
    await mail_to(post_office, address)


async def test_commands_work_on_data_that_are_yet_to_be_made() -> None:
    with a_guichet(demo=False) as guichet:
        await run(guichet, "tenant", "create", "solaize")
        assert "up to date" in await run(guichet, "migrate")
        guichet.run()
        assert await comes_to(guichet, "solaize", 200) < LIVE_WITHIN_S
        assert await status_of(guichet, "ypok") == 404
        assert "password" not in guichet.said()
        assert "up to date" in await run(guichet, "migrate")


async def mail_to(post_office: PostOffice, address: str) -> EmailMessage:
    """The mail that this address is sent before long."""
    assert await asyncio.to_thread(until, lambda: post_office.mails_to(address), 20)
    return post_office.mails_to(address)[0]


# ── What is written down ─────────────────────────────────────────────────────────────────────────


async def test_nothing_of_a_person_and_no_secret_is_written_down(
    guichet: Guichet, post_office: PostOffice
) -> None:
    guichet.run(log_level="DEBUG")
    town = Town("venissieux", Visitor(guichet.http_port), post_office, password="cinq lunes 4 mers")
    await town.registers()
    await town.activates()
    await town.files("ma porte reste close")
    await town.visitor.close()
    stranger = Visitor(guichet.http_port)
    page = await stranger.press(
        await stranger.get("/sign-in"), "/sign-in", username=town.username, password="erreur ici 99"
    )
    assert page.status_code != 200
    await stranger.get("/activate?link=ceci-n-est-pas-un-lien")
    await stranger.close()
    await run(guichet, "tenant", "create", "corbas", "--admin", "direction@corbas.example")
    invitation = link_in(await mail_to(post_office, "direction@corbas.example"))
    activation = link_in(await town.mail("Création du compte usager"))
    cookies = [one.value or "" for one in town.visitor.jar]
    assert len(cookies) >= 2
    assert guichet.stop() == 0

    written = guichet.written()
    assert '"http_served"' in written  # it is what we look through
    assert '"mail_accepted"' in written
    password = demo_password(guichet)
    shown = guichet.said(all_runs=True)
    assert password in shown  # to the person in front, and nowhere else
    assert password not in guichet.logged(all_runs=True)
    for secret in (
        *(link.partition("link=")[2] for link in (invitation, activation)),
        *cookies,
        town.address,
        "direction@corbas.example",
        "Dupré-venissieux",
        "Anne-Cécile",
        "venissieux",
        town.password,
        "cinq lunes",
        "erreur ici 99",
        "ma porte reste close",
        "ceci-n-est-pas-un-lien",
        (guichet.data_dir / "postgres.password").read_text().strip(),
    ):
        assert secret
        assert secret not in written, secret
        assert secret.encode("unicode_escape").decode() not in written, secret


def test_no_key_is_left_where_others_read(made: Guichet) -> None:
    for path in made.data_dir.rglob("*"):
        inside = path.relative_to(made.data_dir)
        if inside.parts[0] in {"bin", "postgres"} or path.is_dir():
            continue
        assert path.stat().st_mode & 0o077 == 0, inside
