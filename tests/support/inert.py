"""Is a text only a text where it stands? Held against the same page or mail of a harmless one."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The parser's own."""
        self.elements.append(" ".join([tag, *(name for name, _ in attrs)]))

    def handle_data(self, data: str) -> None:
        """The parser's own."""
        self.texts.append(data)

    @property
    def words(self) -> str:
        """All that is read, blanks as one."""
        return " ".join("".join(self.texts).split())


def header_lines(raw: bytes) -> list[str]:
    """The names of a mail's headers as they stand in its bytes. Fails where a line is none."""
    head, _, _ = raw.partition(b"\r\n\r\n")
    names = []
    for line in head.split(b"\r\n"):
        assert not {b"\n", b"\r"} & {bytes([one]) for one in line}, "a bare line end"
        assert len(line) <= 998, "RFC 5322 §2.1.1"
        if line[:1] in (b" ", b"\t"):
            continue
        name, colon, _ = line.partition(b":")
        assert colon, line
        assert name.replace(b"-", b"").isalnum(), line
        names.append(name.decode("ascii"))
    return names


def parsed(raw: bytes) -> EmailMessage:
    """The mail, read as its readers' programs do. Fails where they would find fault."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail.defects == []
    return mail


def page_of(mail: EmailMessage) -> Shape:
    """Its HTML part."""
    body = mail.get_body(("html",))
    assert body is not None
    return Shape(body.get_content())
