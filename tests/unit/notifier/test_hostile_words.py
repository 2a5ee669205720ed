"""What strangers typed stays words in every mail: no header, no line, no markup, no file of it.

The templates are found by themselves, and so is every fact that one of them is given.
"""

import re
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest

from services.notifier.delivery.templates import CATALOGUES, TEMPLATES
from services.notifier.domain.kinds import Template
from tests.builders.notifier import MAYOR, a_tenant
from tests.support.mails import FACTS, ORIGIN, SENT, a_letter, words_of

MARK = "xyzzy"  # stands in every hostile text, so that a line of its own would be seen

HOSTILE = [
    f"{MARK}\r\nBcc: everyone@evil.example\r\n\r\n{MARK}",
    f"{MARK}\nX-{MARK}: 1",
    f"=?utf-8?q?{MARK}=0D=0ABcc:_everyone=40evil.example?=",
    f"=?utf-8?b?eHl6enkNCkJjYzogZXZlcnlvbmVAZXZpbC5leGFtcGxl?= {MARK}",
    f"{MARK}\u2028Bcc: everyone@evil.example\u2029{MARK}\u0085{MARK}\x0b{MARK}\x0c{MARK}",
    f"\u202e{MARK}\u2066 \u200fמשטרה \u200e\u2069",
    f"{MARK} {'é' * 1000}",
    f"{MARK}{'x' * 1000}",
    MARK + "👮🏽\u200d♀️" * 300,
    f"<script>alert('{MARK}')</script>",
    f'"><img src=x onerror="{MARK}">',
    f"'><style>*{{display:none}}</style><!--{MARK}",
    f"--><![endif]--><b>{MARK}</b>",
    f"]]><b>{MARK}</b>",
    f"{{{{ 7*7 }}}} {MARK} {{% include 'base.mjml' %}} {{# {MARK} #}}",
    f"{{{{ facts.__class__.__mro__ }}}}{MARK}",
    f"%(portal)s %s %d %(nothing)s {MARK} ${{7*7}} #{{7*7}}",
    f"=cmd|'/C calc'!A0 {MARK}",
    f'#image("/etc/passwd") {MARK}',
    f'</mj-text><mj-include path="/etc/passwd"/><mj-text>{MARK}',
    f"</mj-text></mj-column><mj-raw><b>{MARK}</b></mj-raw>",
    f'<mj-button href="https://evil.example">{MARK}</mj-button>',
    f"javascript:alert('{MARK}')",
    f"https://evil.example/{MARK}",
    f"{MARK}, everyone@evil.example <other@evil.example>; third@evil.example",
    f'"{MARK}" <everyone@evil.example>',
    f"\x00{MARK}\x1b[31m\x07\x7f\u200b\ufeff",
    f".\r\n{MARK}\r\n.\r\n",
    f"--=============== {MARK}",
    f"&lt;b&gt;{MARK}&lt;/b&gt; &#60;b&#62;",
]


def hostile(value: Any, text: str) -> Any:
    """The value with the text in place of all that somebody may have typed."""
    if isinstance(value, str):
        return value if value == SENT.isoformat() else text
    if isinstance(value, dict):
        return {
            name: one if name.endswith("_id") else hostile(one, text) for name, one in value.items()
        }
    if isinstance(value, list):
        return [hostile(one, text) for one in value]
    return value


class Skeleton(HTMLParser):
    """The tags of a page with their attributes, without what may differ: the words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.addresses: set[str] = set()
        self.said = ""
        self.comments: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kept = {name: value for name, value in attrs if name != "aria-label"}
        self.tags[f"{tag} {sorted(kept.items())}"] += 1
        self.addresses |= {kept[name] or "" for name in ("href", "src") if name in kept}

    def handle_data(self, data: str) -> None:
        self.said += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_templates_are_those_that_there_are() -> None:
    parts = {"base", "support", "usernames"}
    there = {file.stem for file in TEMPLATES.iterdir()} - parts
    assert there == set(Template) == set(FACTS)


@pytest.mark.parametrize("language", CATALOGUES.languages)
@pytest.mark.parametrize("template", Template)
def test_hostile_words_stay_words(template: Template, language: str) -> None:
    calm = read(a_letter(template, language=language).message)
    calm_page = Skeleton(words_of(calm, "html"))
    lines = words_of(calm, "plain").count("\n")
    for text in HOSTILE:
        # As events hold it: JSON of PostgreSQL's knows no NUL.
        typed = text.replace("\x00", "")
        tenant = a_tenant(
            UUID(int=1),
            brand={"portal_name": typed, "colour": typed},
            signature=dict.fromkeys(CATALOGUES.languages, "Le service"),
            support={"phone": typed, "hours": {"fr": typed}, "mail": "sav@ypok.example"},
        )
        letter = a_letter(
            template, facts=hostile(FACTS[template], typed), tenant=tenant, language=language
        )
        assert (letter.sender, letter.recipient) == ("sav@ypok.example", MAYOR)
        raw = letter.message
        assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322 §2.1.1
        assert raw.isascii()
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
        mail = read(raw)
        assert mail.keys() == calm.keys(), text
        assert [part.get_content_type() for part in mail.walk()] == [
            part.get_content_type() for part in calm.walk()
        ]
        for header, only in (("To", MAYOR), ("From", "sav@ypok.example")):
            assert [one.addr_spec for one in mail[header].addresses] == [only]
        for name, value in mail.items():
            assert str(value).splitlines() in ([], [str(value)]), name
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", f"{mail['Subject']}{mail['From']}")

        plain = words_of(mail, "plain")
        assert plain.count("\n") == lines
        assert plain.splitlines() == plain.removesuffix("\n").split("\n")
        assert "49" not in plain.replace(typed, "")
        page = Skeleton(words_of(mail, "html"))
        assert page.tags == calm_page.tags, text
        assert page.addresses == calm_page.addresses
        assert all(address.startswith(ORIGIN) for address in page.addresses)
        assert not any(MARK in comment for comment in page.comments)
        assert "root:" not in page.said + plain
        assert MARK in page.said
