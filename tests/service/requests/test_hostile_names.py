"""Two hundred hostile names of files: each is kept under a harmless one, and nothing else comes."""

import re
import unicodedata
from collections.abc import AsyncIterator

import pytest

from chassis.files import safe_name
from tests.builders import files
from tests.builders.requests import a_form, a_procedure, a_question, answers
from tests.service.requests.conftest import Counter
from tests.service.requests.reading import Page
from tests.service.requests.test_filing import NEXT, SAVE, Scene
from tests.support import pdf
from tests.support.hostile import HOSTILE
from tests.support.inert import Shape

A_QUESTION, QUESTIONS = 6, 3
A_REQUEST = A_QUESTION * QUESTIONS
ASKED = [f"proofs{count}" for count in range(QUESTIONS)]

NAMES = [f"{text}.pdf" for text in HOSTILE]
TAKEN = [name for name in NAMES if "." in safe_name(name)]
PORTIONS = [TAKEN[at : at + A_REQUEST] for at in range(0, len(TAKEN), A_REQUEST)]
DISPOSITION = re.compile(
    r"""attachment; filename="[ -!#-\[\]-~]+"(; filename\*=UTF-8''[\w.%~!$&+^`|-]+)?"""
)


@pytest.fixture
async def scene(counter: Counter) -> AsyncIterator[Scene]:
    """A form of one page that takes eighteen files."""
    tenant = await counter.portal()
    town = await counter.town(tenant)
    asked = [
        a_question(key, kind="file", label={"fr": key}, required=False, max_files=A_QUESTION)
        for key in ASKED
    ]
    procedure = a_procedure(form=a_form(*asked))
    await counter.hear(tenant, procedure)
    async with counter.visitor(tenant, town.principal()) as browser:
        yield Scene(counter, tenant, town, procedure, browser)


async def attached(scene: Scene, names: list[str]) -> tuple[Shape, Page]:
    """The form's page once these files are on it."""
    form = await scene.form()
    sent = [(ASKED[place // A_QUESTION], (name, files.PDF)) for place, name in enumerate(names)]
    answer = await scene.browser.post(form.action, data={**form.fields, **answers()}, files=sent)
    assert answer.status_code == 200, Page(answer.text).text[:500]
    return Shape(answer.text), Page(answer.text)


async def filed(scene: Scene, names: list[str]) -> dict[str, list[str]]:
    """The elements of every page on the way; the names that were kept are looked at."""
    shape, page = await attached(scene, names)
    shapes = {"form": shape.elements}
    recap = await scene.browser.post(page.action, data={**page.fields, **NEXT})
    assert recap.status_code == 200
    shapes["recap"] = Shape(recap.text).elements
    read = Page(recap.text)
    saved = await scene.browser.post(read.action, data={**read.fields, **SAVE})
    assert saved.status_code == 303
    path = saved.headers["location"].partition("?")[0]
    request = await scene.browser.get(path)
    paper = await scene.browser.get(f"{path}/print")
    shapes["request"], shapes["print"] = (Shape(one.text).elements for one in (request, paper))
    file = pdf.read((await scene.browser.get(f"{path}/pdf")).content)
    assert file.opens == []
    assert "root:x:" not in file.text + request.text
    links = re.findall(r'href="(/requests/files/[0-9a-f-]{36})"', request.text)
    assert len(set(links)) == len(names)
    for link in links[:: max(1, len(links) // 12)]:  # a dozen are enough: one function names all
        served = await scene.browser.get(link)
        assert served.content == files.PDF
        assert served.headers.get_list("content-type") == ["application/pdf"]
        assert DISPOSITION.fullmatch(served.headers["content-disposition"]), served.headers
    return shapes


@pytest.mark.parametrize("portion", range(len(PORTIONS)))
async def test_a_hostile_name_is_a_name_all_the_way(scene: Scene, portion: int) -> None:
    names = PORTIONS[portion]
    harmless = [f"fichier-{count}.pdf" for count in range(len(names))]
    assert await filed(scene, names) == await filed(scene, harmless)
    kept = await scene.counter.of(scene.tenant, "SELECT name FROM attachments ORDER BY id")
    for (name,) in kept:
        assert name.endswith(".pdf")
        assert not name.startswith((".", " ", "-")), name
        assert not set(name) & set('/\\:*?"<>|\r\n\t\x00'), name
        assert len(name.encode()) <= 255
        assert not [one for one in name if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl"}]


async def test_names_that_are_nothing_are_refused_and_nothing_is_kept(scene: Scene) -> None:
    """Without what must not be in a name, nothing but the extension is left of them."""
    nothing = [name for name in NAMES if name not in TAKEN and name.isprintable()]
    assert 0 < len(nothing) < 30
    form = await scene.form()
    answer = await scene.browser.post(
        form.action,
        data={**form.fields, **answers(what="Une fuite")},
        files=[
            (ASKED[count // A_QUESTION], (name, files.PDF)) for count, name in enumerate(nothing)
        ],
    )
    assert answer.status_code == 422
    assert Page(answer.text).fields["what"].strip() == "Une fuite"
    assert await scene.counter.of(scene.tenant, "SELECT id FROM attachments") == []
