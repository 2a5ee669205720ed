"""Two hundred hostile texts in every mail: no new header, recipient or line, nothing worked out."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.identity import Brand
from services.notifier.domain.kinds import Template
from tests.builders.notifier import MAYOR, a_tenant
from tests.support.hostile import EVIL, HOSTILE
from tests.support.inert import header_lines, page_of, parsed
from tests.support.mails import FACTS, a_letter

PLAIN = "Anne"


def said_with(text: str, facts: Any) -> Any:
    """The facts with this text in the place of each that somebody wrote."""
    if isinstance(facts, dict):
        return {name: said_with(text, one) for name, one in facts.items()}
    if isinstance(facts, list | tuple):
        return [said_with(text, one) for one in facts]
    return text if isinstance(facts, str) and not (is_instant(facts) or is_id(facts)) else facts


def is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def the_letter(template: Template, text: str, language: str = "fr") -> bytes:
    """That mail, of a tenant whose own words are this text too."""
    tenant = a_tenant(
        UUID(int=1),
        name=text,
        signature={"fr": text, "en": text},
        brand=Brand(portal_name=text, colour="#1f5fa8"),
    )
    letter = a_letter(
        template, facts=said_with(text, FACTS[template]), tenant=tenant, language=language
    )
    assert letter.recipient == MAYOR
    assert EVIL not in letter.sender
    return letter.message


@pytest.mark.parametrize("template", Template)
def test_a_hostile_text_is_a_text_in_a_mail(template: Template) -> None:
    plain = the_letter(template, PLAIN)
    headers, elements = header_lines(plain), page_of(parsed(plain)).elements
    # Each mail is made of many parts: every text goes through one of them, and those that aim at
    # headers through all.
    turn = list(Template).index(template)
    mine = [
        text
        for count, text in enumerate(HOSTILE)
        if count % len(Template) == turn or "=?" in text or EVIL in text
    ]
    assert len(mine) > 40
    for text in mine:
        raw = the_letter(template, text)
        assert header_lines(raw) == headers, repr(text)
        mail = parsed(raw)
        assert [address.addr_spec for address in mail["To"].addresses] == [MAYOR], repr(text)
        assert len(mail["From"].addresses) == 1, repr(text)
        assert "\n" not in str(mail["Subject"]), repr(text)
        assert page_of(mail).elements == elements, repr(text)
        assert "root:x:" not in page_of(mail).words


def test_every_text_has_its_turn() -> None:
    assert len(HOSTILE) >= 200
    assert len(set(HOSTILE)) == len(HOSTILE)
