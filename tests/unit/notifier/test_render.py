"""What a mail's reader sees."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from contracts.identity import TenantChanged
from services.notifier import service as assembly
from services.notifier.delivery.render import CATALOGUES, render
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.domain.links import Link
from tests.builders.notifier import MAYOR, a_tenant

HOME = Path(assembly.__file__).parent
ORIGIN = "http://ypok.localhost:8080"
SENT = datetime(2018, 4, 4, 13, 31, 13, tzinfo=UTC)
LINK = Link(
    f"{ORIGIN}/activate?link=kid.body.signature", datetime(2018, 4, 5, 13, 31, 13, tzinfo=UTC)
)

FACTS: dict[Template, dict[str, Any]] = {
    Template.ACTIVATION: {},
    Template.INVITATION: {},
    Template.ADDRESS_KNOWN: {"accounts": [{"id": None, "username": "saint-amand"}]},
    Template.REQUEST_RECORDED: {
        "number": "2026-000123",
        "title": {"fr": "Anomalie - logiciel YPolice"},
        "saved_at": SENT.isoformat(),
    },
}


def made(
    template: Template,
    *,
    tenant: TenantChanged | None = None,
    facts: dict[str, Any] | None = None,
    language: str = "fr",
) -> EmailMessage:
    letter = render(
        template,
        FACTS[template] if facts is None else facts,
        to=MAYOR,
        language=language,
        tenant=tenant or a_tenant(UUID(int=1)),
        origin=ORIGIN,
        link=LINK if KINDS[template].purpose else None,
        message_id="<mail@ypok.localhost>",
        sent_at=SENT,
    )
    message = message_from_bytes(letter.message, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def words(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


class Reader(HTMLParser):
    """Collects what is read, and the tags and attributes there are."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.hidden = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_the_manuals_instant_reads_as_the_manual_prints_it() -> None:
    mail = made(Template.ACTIVATION)
    assert "Ce lien sera valide jusqu'au 05/04/2018 15:31:13" in words(mail, "plain")


@pytest.mark.parametrize("zone", ["America/Cayenne", "Pacific/Noumea", "Europe/Paris"])
def test_the_instant_is_told_by_the_tenants_clocks(zone: str) -> None:
    mail = made(Template.ACTIVATION, tenant=a_tenant(UUID(int=1), timezone=zone))
    told = {
        "America/Cayenne": "05/04/2018 10:31:13",
        "Pacific/Noumea": "06/04/2018 00:31:13",
        "Europe/Paris": "05/04/2018 15:31:13",
    }
    assert told[zone] in words(mail, "plain")
    assert told[zone] in words(mail, "html")


@pytest.mark.parametrize("template", Template)
def test_text_and_page_say_the_same(template: Template) -> None:
    mail = made(template)
    page = " ".join(" ".join(read(words(mail, "html")).text).split())
    for line in words(mail, "plain").splitlines():
        said = " ".join(line.removeprefix("- ").split())
        if said != f"{ORIGIN}/sign-in":  # the page's link holds it
            assert said in page


@pytest.mark.parametrize("template", Template)
def test_a_page_needs_neither_style_attributes_nor_images(template: Template) -> None:
    reader = read(words(made(template), "html"))
    assert not reader.tags & {"img", "table", "script", "link"}
    assert "style" not in reader.attributes
    assert reader.tags >= {"h1", "title", "a"}


def test_accounts_are_counted() -> None:
    one = words(made(Template.ADDRESS_KNOWN), "plain")
    assert "Cette adresse a déjà un compte." in one
    two = [{"id": None, "username": name} for name in ("lyon", "lyon-2")]
    several = words(made(Template.ADDRESS_KNOWN, facts={"accounts": two}), "plain")
    assert "plusieurs comptes" in several
    assert "- lyon-2" in several
    none = words(made(Template.ADDRESS_KNOWN, facts={"accounts": []}), "plain")
    assert "déjà un compte." not in none
    assert LINK.url in none


def test_a_language_that_nobody_speaks_is_answered_in_the_tenants() -> None:
    assert "Bonjour," in words(made(Template.ACTIVATION, language="br"), "plain")


def test_the_signature_closes_the_mail() -> None:
    tenant = a_tenant(UUID(int=1), signature={"fr": "L'équipe\nde YPOK"})
    assert words(made(Template.ACTIVATION, tenant=tenant), "plain").endswith("L'équipe\nde YPOK\n")


def test_every_sentence_has_its_french() -> None:
    said = {
        sentence
        for _file, _line, message, _comments, _context in extract_from_dir(
            HOME,
            method_map=[("**.py", "python"), ("**/templates/**.*", "jinja2")],
            keywords={"_": None, "N_": None, "ngettext": (1, 2), "gettext": None},
        )
        for sentence in ([message] if isinstance(message, str) else [message[0]])
    }
    with (HOME / "locale/fr/LC_MESSAGES/notifier.po").open("rb") as file:
        catalogue = read_po(file)
    french = {
        (entry.id if isinstance(entry.id, str) else entry.id[0]): entry
        for entry in catalogue
        if entry.id
    }
    assert said == set(french)
    for entry in french.values():
        assert not entry.fuzzy
        translations = [entry.string] if isinstance(entry.string, str) else entry.string or [""]
        sources = [entry.id] if isinstance(entry.id, str) else entry.id
        for translation in translations:
            assert translation
            assert re.search(r"[^\u00a0][:;!?](\s|$)", translation) is None
            assert set(re.findall(r"%\(\w+\)s", translation)) == set(
                re.findall(r"%\(\w+\)s", sources[0])
            )
    assert CATALOGUES.translate("Hello,", "fr") == "Bonjour,"
