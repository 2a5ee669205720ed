"""What strangers typed, made fit for one line of a mail: a subject, a name, an address."""

import re
from email.errors import HeaderParseError
from email.headerregistry import Address

ENCODED_WORD = "=?"
"""How an encoded word starts (RFC 2047 §2). Python's `email` decodes what it is given, line ends
included, and writes them out again: a name `=?utf-8?q?=0D=0ABcc:…?=` would become a header."""

# Bidirectional overrides and isolates (UAX #9): they would reorder the sentence around them.
REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
"""Controls, surrogates, and separators of lines and paragraphs: Unicode's Cc, Cs, Zl and Zp."""


class NoAddress(ValueError):
    """Not an address that mail can be sent to."""


class NoSender(Exception):
    """The tenant's own address is none: mended by its administrator, the mail can be sent."""


def one_line(text: str, most: int) -> str:
    """The text on one line of at most `most` characters, without what is not seen."""
    if not (text.isascii() and text.isprintable()):
        text = UNSEEN.sub(" ", REORDERING.sub("", text))
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def header_line(text: str, most: int) -> str:
    """The text on one line, in which nothing is decoded where it stands in a header."""
    return one_line(text.replace(ENCODED_WORD, "= ?"), most)


def mailbox(address: str, display_name: str = "") -> Address:
    """The address with its name, for a header or the envelope. Raises NoAddress.

    The domain is written as DNS has it (IDNA); the local part stays as it is (RFC 6531).
    """
    local, at, domain = address.strip().rpartition("@")
    if ENCODED_WORD in address:  # RFC 2047 §5: an address holds none
        raise NoAddress(len(address))
    if not (local and at and domain) or re.search(r'[\s<>"(),:;\\\x00-\x1f\x7f]', address.strip()):
        raise NoAddress(len(address))
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
        return Address(display_name=display_name, username=local, domain=ascii_domain)
    except (ValueError, HeaderParseError) as error:
        raise NoAddress(len(address)) from error
