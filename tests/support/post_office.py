"""A mail relay of the tests' own, outside the process that is tested: it keeps whatever comes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Lock

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.installation import free_port


@dataclass(frozen=True)
class Arrival:
    """A mail whose text came whole, so that its sender may take it for delivered."""

    at: float  # by the monotonic clock
    recipient: str
    message: EmailMessage

    @property
    def message_id(self) -> str:
        """What tells a copy from another mail."""
        return str(self.message["Message-ID"])


class PostOffice:
    """Listens on a port of its own, in a thread of its own, until it is closed."""

    def __init__(self) -> None:
        self.port = free_port()
        self.before_answer: Callable[[], None] | None = None
        """Called once, between the next mail's final dot and its 250."""
        self._arrivals: list[Arrival] = []
        self._lock = Lock()
        self.open()

    def open(self) -> None:
        """Listen, again and on the same port after `close`."""
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True
        )
        self._controller.start()

    @property
    def arrivals(self) -> list[Arrival]:
        """All that came, copies included, in the order of their coming."""
        with self._lock:
            return list(self._arrivals)

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What this address was sent, each mail once, in the order of coming."""
        found = {one.message_id: one.message for one in self.arrivals if one.recipient == address}
        return list(found.values())

    def close(self) -> None:
        """Be gone."""
        self._controller.stop()

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail, then say so."""
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self._lock:
            for recipient in envelope.rcpt_tos:
                self._arrivals.append(Arrival(time.monotonic(), recipient, message))
            act, self.before_answer = self.before_answer, None
        if act is not None:
            act()
        return "250 2.0.0 kept"
