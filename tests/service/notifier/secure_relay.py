"""A relay in this loop that speaks TLS and has people sign in, and keeps what it heard how."""

import ssl
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.service.notifier.relay import ScriptedRelay

USER = "guichet"
PASSWORD = "Zw4nzig-Tulpen"


class SecureRelay(ScriptedRelay):
    """STARTTLS where a context is given, TLS from the first byte where one is given for that."""

    def __init__(
        self,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.tls = tls
        self.options = {"tls_context": starttls, "authenticator": self.judge, **options}
        self.in_clear = bytearray()
        """All that came outside TLS, but for TLS's own records."""
        self.signed_in_by: list[str] = []
        """The mechanisms by which somebody signed in."""

    def judge(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, said: object
    ) -> AuthResult:
        """Take the one user. A refusal quotes what was said, as no relay should."""
        assert isinstance(said, LoginPassword)
        if (said.login, said.password) == (USER.encode(), PASSWORD.encode()):
            self.signed_in_by.append(mechanism)
            return AuthResult(success=True)
        words = f"535 5.7.8 {said.login.decode()} has not {said.password.decode()}"
        return AuthResult(success=False, handled=False, message=words)

    def connection(self) -> SMTP:
        """One more."""
        return Overheard(self, hostname="relay.test", enable_SMTPUTF8=True, **self.options)


class Overheard(SMTP):
    """Notes what comes in the clear."""

    event_handler: SecureRelay

    def data_received(self, data: bytes) -> None:
        """As the base does, once noted."""
        assert self.transport is not None
        if self.transport.get_extra_info("ssl_object") is None:
            self.event_handler.in_clear.extend(data)
        super().data_received(data)
