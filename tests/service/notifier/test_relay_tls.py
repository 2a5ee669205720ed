"""Relays that are spoken to in TLS and signed in to: who is believed, and what is said how."""

import logging
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from structlog.testing import capture_logs

from chassis.settings import RelayAt, Tls
from tests.builders.notifier import an_activation_request
from tests.service.notifier.conftest import Office
from tests.service.notifier.documented import rows_under
from tests.service.notifier.driving import Run, arrived, attempts, delivered, states
from tests.service.notifier.secure_relay import PASSWORD, USER, SecureRelay
from tests.support.certificates import Authority, an_authority, self_signed
from tests.support.scripted_smtp import Talk, scripted_smtp
from tests.support.waiting import eventually

SIGNED_IN: dict[str, Any] = {"user": USER, "password": PASSWORD}
WRONG = "Zw31-Nelken"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom the settings under test name."""
    return an_authority(tmp_path)


def spoken(relay: SecureRelay) -> list[str]:
    """The commands that were heard in the clear, each once."""
    lines = bytes(relay.in_clear).decode().upper().split("\r\n")
    return sorted({line.split(" ")[0] for line in lines if line})


@contextmanager
def no_secret_told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Neither password stands in what is logged meanwhile, as it is or as SMTP encodes it."""
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        yield
    ours = [one.getMessage() for one in caplog.records if one.name != "mail.log"]  # aiosmtpd's
    words = "\n".join([*map(str, logs), *ours])
    assert logs
    for password in (PASSWORD, WRONG):
        assert password not in words
        for said in (password, f"\0{USER}\0{password}"):
            assert b64encode(said.encode()).decode().rstrip("=") not in words


# ── What goes out ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mechanism", ["no sign-in", "PLAIN", "LOGIN"])
@pytest.mark.parametrize("tls", ["starttls", "starttls-unverified", "tls"])
async def test_a_mail_and_a_password_go_out_in_tls_alone(
    office: Office, authority: Authority, caplog: pytest.LogCaptureFixture, tls: Tls, mechanism: str
) -> None:
    unverified = tls == "starttls-unverified"
    relay = SecureRelay(
        **{
            "tls" if tls == "tls" else "starttls": (
                self_signed(authority.folder) if unverified else authority.serves()
            )
        },
        auth_exclude_mechanism={"PLAIN", "LOGIN"} - {mechanism},
        auth_require_tls=False,  # it offers a sign-in before STARTTLS too
    )
    await relay.start()
    at = RelayAt(
        host="127.0.0.1",
        port=relay.port,
        tls=tls,
        ca_file=None if unverified else authority.file,
        **({} if mechanism == "no sign-in" else SIGNED_IN),
    )
    await office.hear(await office.tenant(slug="ypok"), an_activation_request())
    with no_secret_told(caplog):
        async with Run(office.delivery(relays={"ypok": at})):
            await arrived(relay, 1)
    await relay.stop()
    assert await states(office) == [("accepted", 1)]
    assert spoken(relay) == ([] if tls == "tls" else ["EHLO", "STARTTLS"])
    assert relay.signed_in_by == ([] if mechanism == "no sign-in" else [mechanism])


async def test_a_password_may_stand_in_a_file(office: Office, authority: Authority) -> None:
    relay = SecureRelay(authority.serves(), auth_required=True)
    await relay.start()
    file = authority.folder / "password"
    file.write_text(f"{PASSWORD}\n")
    at = {"relay_user": USER, "relay_password_file": file, "relay_ca_file": authority.file}
    await office.hear(await office.tenant(), an_activation_request())
    await delivered(office.delivery(relay_port=relay.port, **at))
    await relay.stop()
    assert len(relay.received) == 1


# ── What does not ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    """A relay, what the settings say of it, and what keeps mail from it."""

    cause: str
    serves: str = "trusted"  # the certificate
    name: str = "127.0.0.1"  # that it stands for
    implicit: bool = False  # TLS from the first byte
    at: dict[str, Any] = field(default_factory=lambda: {"tls": "starttls"})
    options: dict[str, Any] = field(default_factory=dict)
    spoken: tuple[str, ...] = ("EHLO", "STARTTLS")
    """What is said in the clear, and nothing else."""

    def relay(self, authority: Authority) -> SecureRelay:
        """It."""
        context: ssl.SSLContext | None = None
        if self.serves == "self-signed":
            context = self_signed(authority.folder, self.name)
        elif self.serves != "nothing":
            context = authority.serves(self.name, ended=self.serves == "ended")
        return SecureRelay(**{"tls" if self.implicit else "starttls": context}, **self.options)


ROWS = {
    "has a certificate that it signed itself": Row(
        "certificate: self-signed certificate", serves="self-signed"
    ),
    "has a certificate for another name": Row(
        "certificate: IP address mismatch, certificate is not valid for '127.0.0.1'",
        name="elsewhere.example",
    ),
    "has a certificate that has expired": Row("certificate: certificate has expired", "ended"),
    "has such a certificate in TLS from the first byte": Row(
        "certificate: self-signed certificate",
        serves="self-signed",
        implicit=True,
        at={"tls": "tls"},
        spoken=(),
    ),
    "offers no STARTTLS, though it is to be signed in to": Row(
        "no STARTTLS",
        serves="nothing",
        at=SIGNED_IN,
        options={"auth_require_tls": False},
        spoken=("EHLO",),
    ),
    "is to be signed in to without TLS": Row(
        "sign-in without TLS",
        serves="nothing",
        at={"tls": "none", **SIGNED_IN},
        options={"auth_require_tls": False},
        spoken=(),
    ),
    "refuses the password": Row("sign-in refused with 535", at={"user": USER, "password": WRONG}),
    "offers no sign-in that we know": Row(
        "no sign-in offered", at=SIGNED_IN, options={"auth_exclude_mechanism": ["PLAIN", "LOGIN"]}
    ),
}


def test_the_documents_table_has_these_rows() -> None:
    assert rows_under("TLS and sign-in") == sorted(ROWS)


@pytest.mark.parametrize("name", ROWS)
async def test_who_is_not_believed_gets_no_mail_and_holds_nobody_up(
    office: Office, authority: Authority, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    row = ROWS[name]
    bad = await office.tenant(slug="bad", host="bad.localhost")
    good = await office.tenant(slug="good", host="good.localhost")
    relay = row.relay(authority)
    await relay.start()
    at = RelayAt(host="127.0.0.1", port=relay.port, ca_file=authority.file, **row.at)
    await office.hear(bad, an_activation_request())
    with no_secret_told(caplog):
        async with Run(office.delivery(relays={"bad": at})) as run:

            async def in_trouble() -> bool:
                return run.delivery.trouble() is not None

            assert await eventually(in_trouble)
            assert run.delivery.trouble() == f"bad: {row.cause}"
            await office.hear(good, an_activation_request())
            run.delivery.wake()
            await arrived(office.relay, 1)
    await relay.stop()
    assert relay.received == []
    assert spoken(relay) == list(row.spoken)
    assert relay.signed_in_by == []
    assert await office.of(bad, "SELECT state, attempts FROM mails") == [("queued", 0)]
    assert await office.of(bad, "SELECT 1 FROM attempts") == []


async def test_mail_goes_once_the_authority_is_named(office: Office, authority: Authority) -> None:
    relay = SecureRelay(authority.serves())
    await relay.start()
    file = authority.folder / "named.pem"
    at = {"relay_port": relay.port, "relay_tls": "starttls", "relay_ca_file": file}
    await office.hear(await office.tenant(), an_activation_request())
    async with Run(office.delivery(**at)) as run:
        for cause, words in {
            "authorities' file: FileNotFoundError": None,
            "authorities' file: SSLError": b"no certificate",
            "certificate: unable to get local issuer certificate": an_authority(
                authority.folder
            ).file.read_bytes(),
        }.items():
            if words is not None:
                file.write_bytes(words)

            async def caused(cause: str = cause) -> bool:
                return run.delivery.trouble() == f"relay: {cause}"

            assert await eventually(caused), run.delivery.trouble()
        file.write_bytes(authority.file.read_bytes())
        await arrived(relay, 1)
    await relay.stop()
    assert await attempts(office) == [("accepted", 250, "taken")]


async def test_a_renewed_connection_is_entered_as_strictly_as_the_first(
    office: Office, authority: Authority
) -> None:
    class Changing(SecureRelay):
        """Hangs up on the second mail, and is somebody else from then on."""

        async def handle_MAIL(  # noqa: N802  aiosmtpd's name
            self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
        ) -> str:
            if self.received:
                self.options["tls_context"] = self_signed(authority.folder)
                return "421 4.3.2 restarting"
            envelope.mail_from = address
            return "250 OK"

    relay = Changing(authority.serves())
    await relay.start()
    tenant = await office.tenant()
    delivery = office.delivery(
        relay_port=relay.port, relay_tls="starttls", relay_ca_file=authority.file
    )
    for _ in range(2):
        await office.hear(tenant, an_activation_request())
        await delivery.deliver_due()
    await delivery.close()
    await relay.stop()
    assert (relay.connections, len(relay.received)) == (2, 1)
    assert await attempts(office) == [
        ("accepted", 250, "taken"),
        ("deferred", None, "away: certificate: self-signed certificate"),
    ]
    assert spoken(relay) == ["EHLO", "STARTTLS"]


async def test_what_somebody_slips_in_before_tls_counts_for_nothing(
    office: Office, authority: Authority
) -> None:
    """Replies sent along with the clear 220 are not taken for the relay's own (RFC 3207 §6)."""
    heard: list[str] = []

    async def slipping(talk: Talk) -> None:
        await talk.says("220 scripted.test")
        await talk.hears()
        await talk.says("250-scripted.test", "250 STARTTLS")
        await talk.hears()
        slipped = ("250-scripted.test", "250 AUTH PLAIN", "235 2.7.0 signed in", "250 ok", "250 ok")
        await talk.says("220 go ahead", *slipped)
        await talk.writer.start_tls(authority.serves())
        while said := await talk.hears():
            heard.append(said)
            await talk.says("250 scripted.test")

    await office.hear(await office.tenant(), an_activation_request())
    async with scripted_smtp([slipping] * 99) as smtp:
        at = {"relay_port": smtp.port, "relay_ca_file": authority.file}
        sign_in = {"relay_user": USER, "relay_password": PASSWORD}
        async with Run(office.delivery(**at, **sign_in)) as run:

            async def in_trouble() -> bool:
                return run.delivery.trouble() is not None

            assert await eventually(in_trouble)
            assert run.delivery.trouble() == "relay: no sign-in offered"
    assert {said.split(" ")[0] for said in heard} == {"EHLO"}
    assert await states(office) == [("queued", 1)]
