"""Two hundred hostile texts through form, recap, page, print, PDF, list and mail: all inert.

The oracle is a harmless text on the same way: the same elements on each page, the same headers,
the same mail to the same person.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from chassis.forms.values import cleaned
from chassis.ids import new_id
from contracts.forms import Field, Form, Section
from services.catalog.importing.import_catalogue import import_catalogue
from services.identity.people import OrganisationFacts, PersonFacts
from tests.builders.catalog import a_catalogue, a_category, a_procedure
from tests.builders.identity import new_account
from tests.support import pdf
from tests.support.forms import form_in
from tests.support.hostile import EVIL, HOSTILE
from tests.support.inert import Shape, header_lines, page_of, parsed
from tests.support.installation import Running
from tests.support.people import Somebody, registers, signed_in, somebody_new
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.xdist_group("every route"),
    pytest.mark.timeout(240),
    pytest.mark.both_ways,
]

SLUG = "hostile"
HOST = f"{SLUG}.localhost"
A_REQUEST = 25
"""Texts that one request holds."""

PLAIN = "Réponse"
NAME = Field(key="name", kind="text", label="Name", max_length=2000)
LONG = Field(key="long", kind="long_text", label="Long", max_length=2000)
PASSWD = "root:x:0:0"


def portions() -> list[list[str]]:
    """The texts in portions of one request each; the last is filled up."""
    texts = [*HOSTILE, *[PLAIN] * (-len(HOSTILE) % A_REQUEST)]
    return [texts[at : at + A_REQUEST] for at in range(0, len(texts), A_REQUEST)]


def a_form() -> Form:
    """Questions by turns of one line and of many."""
    fields = tuple(
        (NAME if count % 2 else LONG).model_copy(
            update={"key": f"q{count}", "label": {"fr": f"Question {count}"}, "required": False}
        )
        for count in range(A_REQUEST)
    )
    return Form(sections=(Section(key="facts", title={"fr": "Les faits"}, fields=fields),))


@pytest.fixture(scope="module")
async def tenant(whole: Running) -> UUID:
    """A tenant with one procedure that asks for many texts."""
    made = await whole.tenant(SLUG)
    procedure = a_procedure("textes", form=a_form(), title={"fr": "Textes"})
    async with whole.installation.runtimes["catalog"].database.begin(made) as work:
        await import_catalogue(work, a_catalogue(a_category("textes", procedure)))
    await whole.settled()
    return made


async def somebody_called(whole: Running, tenant: UUID, *names: str) -> Somebody:
    """A person of these names, as the portal keeps what is typed: family, first, organisation."""
    family, first, town = (cleaned(NAME, name)[:150] or "Anne" for name in names)
    username = f"ville-{new_id().hex[-10:]}"
    new = new_account(
        username=username,
        roles=("customer",),
        person=PersonFacts("Mme", family, first, f"{username}@ville.example", "fr"),
        organisation=OrganisationFacts(town, town, "69700"),
    )
    return await somebody_new(whole, tenant, HOST, new)


@dataclass
class Way:
    """What one request's way through the portal showed."""

    pages: dict[str, Shape] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    paper: pdf.Paper | None = None
    file_name: str = ""
    raw_mail: bytes = b""
    recipients: list[str] = field(default_factory=list)

    def note(self, step: str, answer: httpx.Response) -> None:
        """Keep what the page is made of."""
        self.headers[step] = sorted(answer.headers)
        self.pages[step] = Shape(answer.text)


async def walk(whole: Running, who: Somebody, texts: list[str]) -> Way:
    """File these texts and look at all that comes of it."""
    way = Way()
    async with whole.visitor(HOST) as browser:
        signed_in(browser, whole, who)
        page = await browser.get("/procedures/textes")
        form = form_in(page.text)
        page = await browser.post(form.action, data=form.filled())
        form = form_in(page.text)
        answers = {f"q{count}": text for count, text in enumerate(texts)}
        page = await browser.post(form.action, data=form.filled(**answers))
        assert page.status_code == 200
        way.note("recap", page)
        form = form_in(page.text)
        edited = await browser.post(form.action, data={**form.filled(), "_then": "edit"})
        way.note("form", edited)
        saved = await browser.post(form.action, data=form.filled())
        assert saved.status_code == 303
        path = urlsplit(saved.headers["location"]).path
        await all_is_told(whole, who)
        for step, where in {
            "request": path,
            "print": f"{path}/print",
            "list": "/requests",
            "home": "/",
        }.items():
            way.note(step, await browser.get(where))
        file = await browser.get(f"{path}/pdf")
        way.headers["pdf"] = sorted(file.headers)
        way.file_name = file.headers["content-disposition"]
        way.paper = pdf.read(file.content)
    [(envelope, way.raw_mail)] = [one for one in caught(whole) if who.address in one[0]["to"]]
    way.recipients = envelope["to"]
    return way


async def all_is_told(whole: Running, who: Somebody) -> None:
    """Wait until pages show what follows of the filing: no draft at home, and the mail's fate."""
    await whole.settled()
    await whole.mails_to(who.address)
    database = await whole.admin("notifier")
    try:

        async def all_is_sent() -> bool:
            waiting = "SELECT FROM mails WHERE address = $1 AND state = 'queued'"
            return await database.fetchrow(waiting, who.address) is None

        assert await eventually(all_is_sent)
    finally:
        await database.close()
    await whole.settled()


def caught(whole: Running) -> list[tuple[Mapping[str, list[str]], bytes]]:
    """Every mail with those that it was sent to, as the mailbox has it on disk."""
    found = []
    for path in (whole.folder / "mailbox").glob("*.eml"):
        envelope, _, raw = path.read_bytes().partition(b"\n")
        found.append((json.loads(envelope.partition(b": ")[2]), raw))
    return found


def squeezed(text: str) -> str:
    """Without the blanks and line ends that a page or a sheet may set otherwise."""
    return "".join(text.split())


def as_kept(texts: list[str]) -> list[str]:
    """The texts as answers keep them; some are nothing at all."""
    return [cleaned(LONG if count % 2 == 0 else NAME, text) for count, text in enumerate(texts)]


@pytest.fixture(scope="module")
def harmless_ways(whole: Running) -> dict[tuple[bool, ...], Way]:
    """The same way with texts that nobody could take for anything, by what is left open.

    Anew for each way to run: headers of one hop are not alike.
    """
    return {}


async def harmless_way(
    whole: Running, tenant: UUID, texts: list[str], known: dict[tuple[bool, ...], Way]
) -> Way:
    """That of a harmless request which answers the same questions as these texts do."""
    answered = tuple(bool(text) for text in as_kept(texts))
    if answered not in known:
        plain = [PLAIN if one else "" for one in answered]
        who = await somebody_called(whole, tenant, "Anne", "Anne", "Givors")
        known[answered] = await walk(whole, who, plain)
    return known[answered]


@pytest.mark.parametrize("portion", range(len(portions())))
async def test_hostile_texts_are_texts_all_the_way(
    whole: Running, tenant: UUID, harmless_ways: dict[tuple[bool, ...], Way], portion: int
) -> None:
    texts = portions()[portion]
    harmless = await harmless_way(whole, tenant, texts, harmless_ways)
    names = [HOSTILE[(portion * 29 + turn * 71) % len(HOSTILE)] for turn in range(3)]
    way = await walk(whole, await somebody_called(whole, tenant, *names), texts)

    assert way.headers == harmless.headers
    for step, page in way.pages.items():
        assert page.elements == harmless.pages[step].elements, step
        assert PASSWD not in page.words
    kept = as_kept(texts)
    for step in ("recap", "request", "print"):
        words = squeezed("".join(way.pages[step].texts))
        assert [text for text in kept if squeezed(text) not in words] == [], step

    assert way.paper is not None
    assert re.fullmatch(r'attachment; filename="\d{4}-\d{6}\.pdf"', way.file_name)
    assert way.paper.opens == []
    assert PASSWD not in way.paper.text
    on_paper = re.sub(r"Demande\d{4}-\d{6}Page\d+sur\d+", "", squeezed(way.paper.text))
    assert [one for one in kept if one.isascii() and squeezed(one) not in on_paper] == []

    assert header_lines(way.raw_mail) == header_lines(harmless.raw_mail)
    mail, model = parsed(way.raw_mail), parsed(harmless.raw_mail)
    assert way.recipients == [str(address.addr_spec) for address in mail["To"].addresses]
    assert len(way.recipients) == 1
    assert page_of(mail).elements == page_of(model).elements


async def test_names_of_a_registration_are_texts_all_the_way(whole: Running, tenant: UUID) -> None:
    """Signed out, from the form to the file that the print handle gives."""
    shapes = []
    for names in (
        ["Anne"] * 3,
        ["=?utf-8?q?a=0D=0ABcc:_victim@evil.example?=", "<script>alert(1)</script>", "{{7*7}}"],
        ['#image("/etc/passwd")', "\u202egnp.exe", "=cmd|' /C calc'!A0"],
        [f'Anne" <{EVIL}>, "', "a\u2028Bcc: x", "日" * 60],
    ):
        address = f"{new_id().hex[-10:]}@ville.example"
        async with whole.visitor(HOST) as visitor:
            saved = await registers(
                visitor, address, town_name=names[0], birth_name=names[1], first_name=names[2]
            )
            page = await visitor.get(saved)
            await whole.settled()
            [path] = set(re.findall(r'href="(/requests/handle/[^"/]+)"', page.text))
            paper = await visitor.get(path)
            file = await visitor.get(f"{path}/pdf")
        assert paper.status_code == file.status_code == 200
        for name in names:
            assert squeezed(name) in squeezed("".join(Shape(paper.text).texts))
        assert PASSWD not in pdf.read(file.content).text
        [mail] = await whole.mails_to(address)
        shapes.append(
            (
                Shape(paper.text).elements,
                sorted(paper.headers),
                sorted(file.headers),
                mail.keys(),
                page_of(mail).elements,
            )
        )
    assert all(shape == shapes[0] for shape in shapes)


async def test_nobody_else_was_written_to(whole: Running) -> None:
    """Whatever the texts asked for: run after them, in their group."""
    assert not [one for one, _ in caught(whole) if any("evil" in to for to in one["to"])]
