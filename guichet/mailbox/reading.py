"""A mail's bytes read as Mailpit's API tells them. No mail is so broken that it can't be shown."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default as policy
from typing import Any

from guichet.mailbox.store import Caught

PARSED_LENGTH = 20_000  # characters at most: a parser's time may grow with their square
SNIPPET_LENGTH = 250
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
SILENT = re.compile(
    r"<(style|script|title)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL
)

Json = dict[str, Any]


def message(mail: Caught) -> Json:
    """Mailpit's `Message`."""
    texts: list[str] = []
    htmls: list[str] = []
    inline: list[Json] = []
    attached: list[Json] = []
    try:
        parsed = message_from_bytes(mail.raw, policy=policy)
        for number, part in _leaves(parsed):
            kind, disposition = part.get_content_type(), part.get_content_disposition()
            if kind in ("text/plain", "text/html") and disposition != "attachment":
                (texts if kind == "text/plain" else htmls).append(_words(part))
            else:
                is_inline = disposition == "inline" or (not disposition and "content-id" in part)
                (inline if is_inline else attached).append(_file(number, part))
    except Exception:  # the library's own errors on hostile mails, RecursionError among them
        parsed = BytesHeaderParser(policy=policy).parsebytes(mail.raw)
        texts = [mail.raw.decode("utf-8", "replace")]
    raw = headers(parsed)

    def line(name: str) -> str:
        return str(_header(name, raw.get(name.title(), [""])[0])[0])

    to, cc, bcc = (_people(raw, name) for name in ("To", "Cc", "Bcc"))
    named = {one["Address"].casefold() for one in (*to, *cc, *bcc)}
    bcc += [
        {"Name": "", "Address": _line(one)}
        for one in mail.recipients
        if _line(one).casefold() not in named
    ]
    unsubscribe = line("List-Unsubscribe")
    return {
        "ID": mail.id,
        "MessageID": line("Message-Id").strip("<>"),
        "From": next(iter(_people(raw, "From")), None),
        "To": to,
        "Cc": cc,
        "Bcc": bcc,
        "ReplyTo": _people(raw, "Reply-To"),
        "ReturnPath": _line(mail.sender),
        "Subject": line("Subject"),
        "ListUnsubscribe": {
            "Header": unsubscribe,
            "Links": re.findall("<([^<>]+)>", unsubscribe),
            "Errors": "",
            "HeaderPost": line("List-Unsubscribe-Post"),
        },
        "Date": rfc3339(_date(raw) or mail.received_at),
        "Tags": [],
        "Username": "",
        "Text": "\n".join(texts),
        "HTML": "\n".join(htmls),
        "Size": len(mail.raw),
        "Inline": inline,
        "Attachments": attached,
    }


def summary(mail: Caught) -> Json:
    """Mailpit's `MessageSummary`. `Read` stays false: here a GET changes nothing."""
    whole = message(mail)
    left_out = {"ReturnPath", "ListUnsubscribe", "Date", "Text", "HTML", "Inline"}
    words = whole["Text"] or SILENT.sub(" ", whole["HTML"][:PARSED_LENGTH])
    return {name: value for name, value in whole.items() if name not in left_out} | {
        "Read": False,
        "Created": rfc3339(mail.received_at),
        "Attachments": len(whole["Attachments"]),
        "Snippet": " ".join(_line(words[:PARSED_LENGTH]).split())[:SNIPPET_LENGTH],
    }


def headers(parsed: EmailMessage) -> dict[str, list[str]]:
    """As they came, unfolded, by a name in the form `Message-Id`."""
    found: dict[str, list[str]] = {}
    for name, value in parsed.raw_items():
        octets = str(value).encode("utf-8", "surrogateescape")
        found.setdefault(name.title(), []).append(_line(octets.decode("utf-8", "replace")))
    return found


def raw_headers(mail: Caught) -> dict[str, list[str]]:
    """The headers of a mail as SMTP brought it."""
    return headers(BytesHeaderParser(policy=policy).parsebytes(mail.raw))


def rfc3339(moment: datetime) -> str:
    """In UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _line(text: str) -> str:
    return UNPRINTABLE.sub(" ", text).strip()


def _header(name: str, value: str) -> tuple[str, Any]:
    """The decoded words, which may hold anything a sender encoded, and the parsed header if any."""
    try:
        parsed = policy.header_factory(name, value[:PARSED_LENGTH])
        return _line(str(parsed)), parsed
    except Exception:  # its parser raises IndexError, AttributeError and more on odd addresses
        return _line(value), None


def _people(raw: dict[str, list[str]], name: str) -> list[Json]:
    people = []
    for value in raw.get(name, []):
        words, parsed = _header(name, value)
        if parsed is None:
            people.append({"Name": words, "Address": ""})
        else:
            people += [
                {"Name": _line(one.display_name), "Address": _line(one.addr_spec)}
                for one in parsed.addresses
            ]
    return people


def _date(raw: dict[str, list[str]]) -> datetime | None:
    _, parsed = _header("Date", raw.get("Date", [""])[0])
    moment: datetime | None = getattr(parsed, "datetime", None)
    if moment is None or not 1970 <= moment.year < 9999:  # no zone may carry it out of all years
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _leaves(part: EmailMessage, number: str = "") -> Iterator[tuple[str, EmailMessage]]:
    """All parts but the multipart ones, numbered as IMAP does (RFC 3501 §6.4.5)."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for index, child in enumerate(part.iter_parts(), 1):
            assert isinstance(child, EmailMessage)
            yield from _leaves(child, f"{number}.{index}" if number else str(index))
    else:
        yield number or "0", part


def _words(part: EmailMessage) -> str:
    try:
        text = str(part.get_content())
    except (LookupError, ValueError):  # a charset that nobody knows
        text = _octets(part).decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode()  # no lone surrogates


def _octets(part: EmailMessage) -> bytes:
    if part.is_multipart():  # a mail within the mail
        return b"".join(one.as_bytes() for one in part.iter_parts())
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _file(number: str, part: EmailMessage) -> Json:
    content = _octets(part)
    sums = {
        "MD5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "SHA1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "SHA256": hashlib.sha256(content).hexdigest(),
    }
    return {
        "PartID": number,
        "FileName": _line(part.get_filename("")),
        "ContentType": part.get_content_type(),
        "ContentID": _line(str(part.get("content-id", ""))).strip("<>"),
        "Size": len(content),
        "Checksums": sums,
    }
