"""`guichet doctor` before relays that are really wrong: it names which, and what to do."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr

from chassis.settings import RelayAt, Settings
from tests.support.certificates import an_authority, self_signed
from tests.support.examined import told
from tests.support.installation import free_port


@contextlib.contextmanager
def a_relay(**options: Any) -> Iterator[int]:
    """SMTP on a port of this machine, by a thread of its own."""

    relay = Controller(object(), hostname="127.0.0.1", port=free_port(), **options)
    relay.start()
    try:
        yield relay.port
    finally:
        relay.stop()


def with_relay(settings: Settings, port: int, **changes: Any) -> Settings:
    """These settings with a relay on that port, and what else is said of it."""
    at = {"relay_host": "127.0.0.1", "relay_port": port}
    at.update({f"relay_{name}": value for name, value in changes.items()})
    return settings.model_copy(update=at)


def takes(_server: SMTP, _session: Session, _envelope: Envelope, _by: str, said: Any) -> AuthResult:
    """The one sign-in that a relay here takes."""
    return AuthResult(success=said.password == b"right", handled=False)


def test_a_relay_that_takes_mail_is_well(fresh: Settings) -> None:
    with a_relay() as port:
        assert "relay" not in told(with_relay(fresh, port))


def test_a_relay_that_lets_us_sign_in_over_trusted_tls_is_well(
    fresh: Settings, tmp_path: Path
) -> None:
    authority = an_authority(tmp_path)
    at = {"ca_file": authority.file, "user": "guichet", "password": SecretStr("right")}
    with a_relay(tls_context=authority.serves(), authenticator=takes, auth_required=True) as port:
        assert "relay" not in told(with_relay(fresh, port, **at))


def test_a_relay_that_is_away_is_named(fresh: Settings) -> None:
    said = told(with_relay(fresh, free_port()))["relay"]
    assert "does not answer" in said
    assert "GUICHET_RELAY_HOST" in said


def test_a_relay_that_refuses_us_is_named(fresh: Settings) -> None:
    with a_relay(auth_required=True, auth_require_tls=False) as port:
        assert "refused with 530" in told(with_relay(fresh, port))["relay"]


def test_a_relay_with_a_certificate_of_nobody_is_named(fresh: Settings, tmp_path: Path) -> None:
    with a_relay(tls_context=self_signed(tmp_path)) as port:
        said = told(with_relay(fresh, port, tls="starttls"))["relay"]
        assert "TLS that can't be trusted" in said
        assert "self-signed" in said
        assert "GUICHET_RELAY_CA_FILE" in said
        assert "relay" not in told(with_relay(fresh, port)), "delivery does not ask for TLS here"


def test_a_relay_with_a_certificate_for_another_name_is_named(
    fresh: Settings, tmp_path: Path
) -> None:
    authority = an_authority(tmp_path)
    with a_relay(tls_context=authority.serves("elsewhere.example")) as port:
        said = told(with_relay(fresh, port, tls="starttls", ca_file=authority.file))["relay"]
    assert "not valid for '127.0.0.1'" in said


def test_a_file_of_authorities_that_is_missing_is_named(fresh: Settings, tmp_path: Path) -> None:
    gone = tmp_path / "gone.pem"
    with a_relay() as port:
        said = told(with_relay(fresh, port, tls="starttls", ca_file=gone))["relay"]
    assert "FileNotFoundError" in said
    assert "GUICHET_RELAY_CA_FILE" in said


def test_a_relay_without_starttls_is_named(fresh: Settings) -> None:
    with a_relay() as port:
        said = told(with_relay(fresh, port, tls="starttls"))["relay"]
    assert "offers no STARTTLS" in said
    assert "GUICHET_RELAY_TLS" in said


def test_a_relay_whose_tls_begins_otherwise_is_named(fresh: Settings) -> None:
    with a_relay() as port:
        said = told(with_relay(fresh, port, tls="tls"))["relay"]
    assert "WRONG_VERSION_NUMBER" in said
    assert "GUICHET_RELAY_TLS suits GUICHET_RELAY_PORT" in said


def test_a_relay_that_refuses_the_sign_in_is_named_without_the_password(
    fresh: Settings, tmp_path: Path
) -> None:
    authority = an_authority(tmp_path)
    at = {"ca_file": authority.file, "user": "guichet", "password": SecretStr("wr0ng")}
    with a_relay(tls_context=authority.serves(), authenticator=takes) as port:
        said = told(with_relay(fresh, port, **at))["relay"]
    assert "does not let us sign in (sign-in refused with 535)" in said
    assert "GUICHET_RELAY_PASSWORD_FILE" in said
    assert "wr0ng" not in said


def test_a_sign_in_without_tls_is_named(fresh: Settings) -> None:
    at = {"tls": "none", "user": "guichet", "password": SecretStr("right")}
    with a_relay(authenticator=takes, auth_require_tls=False) as port:
        said = told(with_relay(fresh, port, **at))["relay"]
    assert "without TLS" in said
    assert "GUICHET_RELAY_TLS" in said


def test_a_password_file_that_is_missing_is_named(fresh: Settings, tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    at = {"ca_file": authority.file, "user": "guichet", "password_file": tmp_path / "gone"}
    with a_relay(tls_context=authority.serves(), authenticator=takes) as port:
        said = told(with_relay(fresh, port, **at))["relay"]
    assert "password file: FileNotFoundError" in said
    assert "GUICHET_RELAY_PASSWORD_FILE" in said


def test_a_tenants_own_relay_is_named_with_its_tenant(fresh: Settings) -> None:
    with a_relay() as port:
        at = RelayAt(host="127.0.0.1", port=port, tls="starttls")
        said = told(fresh.model_copy(update={"relays": {"ypok": at}}))["relay"]
    assert f"The mail relay of ypok 127.0.0.1:{port} offers no STARTTLS" in said
    assert "`tls` of ypok in GUICHET_RELAYS" in said
