"""The dialogue about one mail, in what is the same whichever way it is led.

`by_command` leads it by a library, a round trip a command; `pipelined` by hand, in two writes.
"""

import re
from typing import NamedTuple, Protocol

from services.notifier.delivery.mails import Letter
from services.notifier.delivery.steps import MayEnd
from services.notifier.domain.answers import Answer, lost, unsendable

HANGING_UP = 421  # RFC 5321 §4.2.3: the relay is about to close; the connection is not used again
GO_ON = 354

BARE = re.compile(rb"\r\n|\r|\n")

UNSAYABLE_IN_A_PATH = re.compile("[\x00-\x20\x7f<>\ud800-\udfff]")
"""What would end an address early or its line (RFC 5321 §4.1.2), or is not to be written at all."""

NO_UTF8 = unsendable("the relay takes no address beyond ASCII (RFC 6531)")
UNSAYABLE = unsendable("not to be said in SMTP")


class Offered(NamedTuple):
    """How a dialogue ended."""

    answer: Answer | None
    """None: the mail was not ended, since it may not be."""
    keep: bool = False
    """May the connection be used again?"""
    begun: bool = True
    """Or was the connection gone, or given up by the relay, before the mail was offered?"""


class Connection(Protocol):
    """An open connection to a relay, signed in where that is asked for. One mail at a time."""

    @property
    def is_open(self) -> bool:
        """May a mail be offered on it?"""

    async def offer(self, letter: Letter, may_end: MayEnd) -> Offered:
        """Offer one mail. Raises nothing of what a relay or the network may do."""

    async def quit(self) -> None:
        """Say goodbye and hear the answer, for as long as the caller waits."""

    def drop(self) -> None:
        """Be rid of it."""


def are_sayable(letter: Letter) -> bool:
    """Are both its addresses nothing but addresses, whatever let them come this far?"""
    return not (
        UNSAYABLE_IN_A_PATH.search(letter.sender) or UNSAYABLE_IN_A_PATH.search(letter.recipient)
    )


def as_sent(message: bytes) -> bytes:
    """The text as it goes over the wire but for its end (RFC 5321 §2.3.8, §4.5.2).

    Lines end in CRLF, with no bare CR or LF that a relay could take for another end of the text,
    and no line is a dot alone.
    """
    if message.replace(b"\r", b"").replace(b"\n", b"\r\n") != message:  # a third of a search's time
        message = BARE.sub(b"\r\n", message)
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    if message.startswith(b"."):
        message = b"." + message
    return message.replace(b"\n.", b"\n..") if b"\n." in message else message


def not_understood(*, ended: bool) -> Answer:
    """What came was no reply that SMTP knows at this point."""
    return lost(perhaps_taken=ended, words="not understood")
