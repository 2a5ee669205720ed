"""A mail's bytes (RFC 5322, RFC 2046): its two bodies assembled, its headers by Python's `email`.

`email` writing the whole out took three quarters of a mail's making. Headers that hold what people
typed are still its own work, kept for the next mail where many have the same.
"""

import re
from binascii import b2a_qp
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from functools import lru_cache

BOUNDARY = "=_guichet"
"""Not to be found in a body: quoted-printable has no `=_` (RFC 2045 §6.7)."""

PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
PLAIN_ID = re.compile(r"<[0-9a-f]{32}@[A-Za-z0-9.-]+>")
PLAIN_MOST = 70

FIXED = (
    "Auto-Submitted: auto-generated\r\n"  # RFC 3834: nobody's machine is to answer
    "MIME-Version: 1.0\r\n"
    f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n'
).encode()


def written(
    sender: Address,
    recipient: Address,
    subject_line: str,
    text: str,
    html: str,
    *,
    message_id: str,
    sent_at: datetime,
) -> bytes:
    """The message. Lines end in CRLF and are short; all is ASCII unless an address is not."""
    utf8 = not (sender.addr_spec + recipient.addr_spec).isascii()
    to = recipient.addr_spec
    plain = not recipient.display_name and len(to) <= PLAIN_MOST and PLAIN_ADDRESS.fullmatch(to)
    known = PLAIN_ID.fullmatch(message_id)
    return b"".join(
        (
            _from(sender.display_name, sender.username, sender.domain, utf8),
            f"To: {to}\r\n".encode() if plain else _header("To", recipient, utf8),
            _subject(subject_line, utf8),
            f"Date: {format_datetime(sent_at)}\r\n".encode(),
            f"Message-ID: {message_id}\r\n".encode()
            if known
            else _header("Message-ID", message_id, utf8),
            FIXED,
            _part("plain", text),
            _part("html", html),
            f"--{BOUNDARY}--\r\n".encode(),
        )
    )


def _header(name: str, value: str | Address, utf8: bool) -> bytes:
    policy = SMTPUTF8 if utf8 else SMTP
    folded: str = policy.header_store_parse(name, value)[1].fold(policy=policy)
    return folded.encode("utf-8" if utf8 else "ascii")


@lru_cache(maxsize=4096)
def _from(display_name: str, username: str, domain: str, utf8: bool) -> bytes:
    return _header("From", Address(display_name, username, domain), utf8)


@lru_cache(maxsize=4096)
def _subject(line: str, utf8: bool) -> bytes:
    return _header("Subject", line, utf8)


def _part(kind: str, words: str) -> bytes:
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    lines = words.replace("\r\n", "\n").replace("\r", "\n")
    body = lines.replace("\n", "\r\n").encode("utf-8", "replace")
    return head.encode() + b2a_qp(body, istext=True) + b"\r\n"
