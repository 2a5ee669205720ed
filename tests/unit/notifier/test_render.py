"""What a mail's reader sees."""

import re
from html.parser import HTMLParser
from uuid import UUID

import pytest

from services.notifier.delivery.templates import CATALOGUES
from services.notifier.domain.kinds import Template
from tests.builders.notifier import a_tenant
from tests.support.mails import FACTS, ORIGIN, a_mail, link_of, words_of


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
    mail = a_mail(Template.ACTIVATION)
    assert "Ce lien sera valide jusqu'au 05/04/2018 15:31:13" in words_of(mail, "plain")


@pytest.mark.parametrize("zone", ["America/Cayenne", "Pacific/Noumea", "Europe/Paris"])
def test_the_instant_is_told_by_the_tenants_clocks(zone: str) -> None:
    mail = a_mail(Template.ACTIVATION, tenant=a_tenant(UUID(int=1), timezone=zone))
    told = {
        "America/Cayenne": "05/04/2018 10:31:13",
        "Pacific/Noumea": "06/04/2018 00:31:13",
        "Europe/Paris": "05/04/2018 15:31:13",
    }
    assert told[zone] in words_of(mail, "plain")
    assert told[zone] in words_of(mail, "html")


@pytest.mark.parametrize("template", Template)
def test_text_and_page_say_the_same(template: Template) -> None:
    mail = a_mail(template)
    page = " ".join(" ".join(read(words_of(mail, "html")).text).split())
    for line in words_of(mail, "plain").splitlines():
        said = " ".join(line.removeprefix("- ").split())
        if said != f"{ORIGIN}/sign-in":  # the page's link holds it
            assert said in page


@pytest.mark.parametrize("template", Template)
def test_a_page_needs_no_image_and_nothing_fetched(template: Template) -> None:
    page = words_of(a_mail(template), "html")
    reader = read(page)
    assert not reader.tags & {"img", "script", "link", "iframe", "form"}
    assert reader.tags >= {"h1", "title", "a"}
    assert not re.findall(r"url\(|@import|src=", page)
    assert set(re.findall(r'href="(https?://[^/"]+)', page)) == {ORIGIN}


@pytest.mark.parametrize("template", Template)
def test_tables_of_a_page_are_for_looks_only(template: Template) -> None:
    tables = re.findall(r"<table[^>]*>", words_of(a_mail(template), "html"))
    assert tables
    assert all('role="presentation"' in table for table in tables)


@pytest.mark.parametrize("template", Template)
def test_a_mail_has_one_button_and_its_address_in_words_of(template: Template) -> None:
    page = words_of(a_mail(template), "html")
    assert page.count('class="button"') == 1
    [url] = re.findall(r'class="button".*?href="([^"]*)"', page, flags=re.DOTALL)
    assert f'<a href="{url}">{url}</a>' in page
    assert url in words_of(a_mail(template), "plain").splitlines()


def test_accounts_are_counted() -> None:
    one = words_of(a_mail(Template.ADDRESS_KNOWN), "plain")
    assert "Cette adresse a déjà un compte." in one
    two = [{"id": None, "username": name} for name in ("lyon", "lyon-2")]
    several = words_of(a_mail(Template.ADDRESS_KNOWN, facts={"accounts": two}), "plain")
    assert "plusieurs comptes" in several
    assert "- lyon-2" in several
    none = words_of(a_mail(Template.ADDRESS_KNOWN, facts={"accounts": []}), "plain")
    assert "déjà un compte." not in none
    link = link_of(Template.ADDRESS_KNOWN)
    assert link is not None
    assert link.url in none


def test_english_prints_the_instant_as_the_english_do() -> None:
    mail = a_mail(Template.ACTIVATION, language="en")
    assert mail["Subject"] == "Creation of your user account"
    for kind in ("plain", "html"):
        said = words_of(mail, kind)
        assert "Hello," in said
        assert "Activate my account now" in said
        assert "This link will be valid until 5 April 2018, 15:31:13" in said
    assert '<html lang="en"' in words_of(mail, "html")


@pytest.mark.parametrize("template", Template)
def test_each_language_says_all_of_a_mail(template: Template) -> None:
    """No line of words is the same in both, but for what is data."""
    tenant = a_tenant(UUID(int=1), signature={"fr": "Le Service", "en": "The Service"})
    one, other = (
        words_of(a_mail(template, language=language, tenant=tenant), "plain").splitlines()
        for language in CATALOGUES.languages
    )
    assert len(one) == len(other)
    same = {line for line in one if line in other and " " in line.removeprefix("- ")}
    assert same == set()


def test_the_mails_name_of_a_procedure_is_in_the_readers_language() -> None:
    for language, title in (("fr", "Anomalie - logiciel"), ("en", "Fault - ")):
        assert title in words_of(a_mail(Template.REQUEST_RECORDED, language=language), "plain")


def test_the_button_of_a_recorded_request_leads_to_that_request() -> None:
    said = words_of(a_mail(Template.REQUEST_RECORDED), "plain")
    assert f"{ORIGIN}/requests/{UUID(int=3)}\n" in said
    earlier = {**FACTS[Template.REQUEST_RECORDED]}
    del earlier["request_id"]  # as a release before this one queued it
    said = words_of(a_mail(Template.REQUEST_RECORDED, facts=earlier), "plain")
    assert f"{ORIGIN}/requests\n" in said


def test_a_language_that_nobody_speaks_is_answered_in_the_tenants() -> None:
    assert "Bonjour," in words_of(a_mail(Template.ACTIVATION, language="br"), "plain")


def test_the_signature_closes_the_mail() -> None:
    tenant = a_tenant(UUID(int=1), signature={"fr": "L'équipe\nde YPOK"})
    assert words_of(a_mail(Template.ACTIVATION, tenant=tenant), "plain").endswith(
        "L'équipe\nde YPOK\n"
    )
