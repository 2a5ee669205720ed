"""`guichet up` in a terminal: starts, ends of all kinds, and what is written down meanwhile."""

import asyncio
import os
import signal
import socket
import time
from functools import partial
from pathlib import Path

import pytest

from guichet.demo_data import DEMOS
from tests.support.installation import link_in
from tests.support.post_office import PostOffice
from tests.support.process import HOST, Guichet, a_guichet
from tests.support.terminal import (
    demo_password,
    mail_to,
    run,
    sign_in_as_demo,
)
from tests.support.towns import Town, Visitor, words_of
from tests.support.waiting import until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(300)]

SECONDS = 30.0
"""What a second start may take on a machine that does much else: see docs/reliability.md."""


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
