"""Files that people attach: kept beside what they typed, served to them alone, swept."""

import re
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.ids import new_id
from chassis.principals import ANONYMOUS, TOKEN_HEADER, Call, mint
from services.requests.attachments import sweep_bytes
from services.requests.domain.attachments import LARGEST_FILE
from tests.builders import files
from tests.builders.requests import a_form, a_procedure, a_question, answers
from tests.service.requests.conftest import Counter
from tests.service.requests.reading import Page
from tests.service.requests.test_filing import NEXT, START, Scene

Sent = tuple[str, tuple[str, bytes]]
MEGABYTE = 1024 * 1024
FILES = a_question("proofs", kind="file", label={"fr": "Captures"}, required=False)


@pytest.fixture
async def scene(counter: Counter) -> AsyncIterator[Scene]:
    tenant = await counter.portal()
    town = await counter.town(tenant)
    procedure = a_procedure(form=a_form(FILES))
    await counter.hear(tenant, procedure)
    async with counter.visitor(tenant, town.principal()) as browser:
        yield Scene(counter, tenant, town, procedure, browser)


def a_file(name: str = "écran.png", content: bytes | None = None) -> Sent:
    return ("proofs", (name, files.a_picture() if content is None else content))


async def attach(scene: Scene, form: Page, *sent: Sent, status: int = 200, **changes: str) -> Page:
    """The form's page once it was sent with these files."""
    fields = {**form.fields, **answers(), **changes}
    answer = await scene.browser.post(form.action, data=fields, files=list(sent))
    assert answer.status_code == status, answer.text
    return Page(answer.text)


async def rows(scene: Scene) -> list[tuple[UUID, str, int]]:
    found = await scene.counter.of(
        scene.tenant, "SELECT id, name, size_bytes FROM attachments ORDER BY id"
    )
    return [(row[0], row[1], row[2]) for row in found]


def kept(scene: Scene) -> set[str]:
    """The names of all files in the store, those half received too."""
    folder = scene.counter.runtime.files.incoming.parent
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def test_a_file_is_kept_sent_shown_and_served(scene: Scene) -> None:
    form = await scene.form()
    page = await attach(scene, form, a_file("../../écran\u200b.png"))
    [(id, name, size)] = await rows(scene)
    assert name == "écran.png"
    assert name in page.text
    assert page.fields["proofs"] == str(id)
    recap = await scene.page("POST", page.action, {**page.fields, **answers(), **NEXT})
    assert name in recap.text
    saved = await scene.page("GET", await scene.save(recap))
    answer = await scene.browser.get(saved.path("écran.png"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert int(answer.headers["content-length"]) == len(answer.content) == size
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"ecran.png\"; filename*=UTF-8''%C3%A9cran.png"
    )
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["cache-control"] == "private, no-store"
    assert (await scene.browser.head(saved.path("écran.png"))).status_code == 200


async def test_a_file_is_kept_when_another_answer_is_wrong(scene: Scene) -> None:
    form = await scene.form()
    page = await attach(scene, form, a_file(), status=422, mail="nobody", **NEXT)
    [(id, _, _)] = await rows(scene)
    assert page.fields["proofs"] == str(id)
    assert page.fields["mail"] == "nobody"
    assert page.fields["what"].strip() == "L'écran reste blanc.\nDepuis ce matin."


async def test_a_refused_file_leaves_the_answers_and_the_other_files(scene: Scene) -> None:
    form = await scene.form()
    page = await attach(
        scene, form, a_file("bon.png"), a_file("faux.png", files.HTML), status=422, **NEXT
    )
    assert "Le contenu de « faux.png »" in page.text.replace("\xa0", " ")
    assert [name for _, name, _ in await rows(scene)] == ["bon.png"]
    assert page.fields["what"].strip() == "L'écran reste blanc.\nDepuis ce matin."
    assert kept(scene) == {str(id) for id, _, _ in await rows(scene)}


async def test_a_file_can_be_taken_off_again(scene: Scene) -> None:
    page = await attach(scene, await scene.form(), a_file("a.png"), a_file("b.png"))
    [(first, _, _), (second, _, _)] = await rows(scene)
    sent = {**page.fields, "proofs": f"{first}\n{second}", "_remove_file": str(first)}
    page = await scene.page("POST", page.action, sent)
    assert page.fields["proofs"] == str(second)
    assert [id for id, _, _ in await rows(scene)] == [second]


async def test_what_is_too_large_is_said_and_the_answers_kept(scene: Scene) -> None:
    form = await scene.form()
    large = b"a" * (LARGEST_FILE + 1)
    page = await attach(scene, form, a_file("journal.txt", large), status=422)
    assert "« journal.txt » dépasse 10 Mo" in page.text.replace("\xa0", " ")
    assert page.fields["mail"] == answers()["mail"]
    assert kept(scene) == set()


async def test_more_than_25_megabytes_together_are_refused(scene: Scene) -> None:
    page = await scene.form()
    for number in range(2):
        large = a_file(f"{number}.txt", b"a" * (9 * MEGABYTE))
        page = await attach(scene, page, large, proofs=page.fields.get("proofs", ""))
    page = await attach(scene, page, a_file("2.txt", b"a" * (9 * MEGABYTE)), status=422)
    assert "plus de 25 Mo" in page.text.replace("\xa0", " ")
    assert [name for _, name, _ in await rows(scene)] == ["0.txt", "1.txt"]
    assert kept(scene) == {str(id) for id, _, _ in await rows(scene)}


async def test_somebody_elses_file_is_not_there(scene: Scene) -> None:
    page = await attach(scene, await scene.form(), a_file())
    [(id, _, _)] = await rows(scene)
    other = await scene.counter.town(scene.tenant)
    async with scene.counter.visitor(scene.tenant, other.principal()) as browser:
        theirs = await browser.get(f"/requests/files/{id}")
        nobodys = await browser.get(f"/requests/files/{new_id()}")
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.text.replace(str(id), "") == re.sub(r"[0-9a-f-]{36}", "", nobodys.text)
        form = Page((await browser.post(START)).text)
        sent = {**form.fields, **answers(), "proofs": str(id), **NEXT}
        recap = await browser.post(form.action, data=sent)
        assert "écran.png" not in recap.text
    async with scene.counter.visitor(scene.tenant, ANONYMOUS) as browser:
        assert (await browser.get(f"/requests/files/{id}")).status_code == 303
    assert page.fields["proofs"] == str(id)


async def test_a_connection_dropped_at_nine_tenths_leaves_nothing(scene: Scene) -> None:
    form = await scene.form()
    content = files.a_picture() + b"a" * MEGABYTE
    request = scene.browser.build_request(
        "POST", form.action, data={**form.fields, **answers()}, files=[a_file(content=content)]
    )
    body = await request.aread()
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[: len(body) * 9 // 10], "more_body": True},
        {"type": "http.disconnect"},
    ]
    call = Call(scene.tenant, "http-1", scene.town.principal())
    token = mint(scene.counter.runtime.token_key, "requests", call, clock.now())
    scope = {
        "type": "http",
        "method": "POST",
        "path": form.action,
        "raw_path": form.action.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            *((name.lower().encode(), value.encode()) for name, value in request.headers.items()),
            (TOKEN_HEADER.encode(), token.encode()),
        ],
    }

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(_message: object) -> None:
        pass

    await scene.counter.app(scope, receive, send)
    assert messages == []
    assert kept(scene) == set()
    assert await rows(scene) == []


@contextmanager
def little_room(size_bytes: int) -> Iterator[None]:
    """Meanwhile, no file can grow beyond that: as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_said_and_the_form_kept(scene: Scene) -> None:
    form = await scene.form()
    with little_room(200_000):
        page = await attach(
            scene, form, a_file("journal.txt", b"a" * MEGABYTE), a_file("petit.png"), status=422
        )
    assert "pas de place pour des fichiers" in page.text.replace("\xa0", " ")
    assert page.fields["what"].strip() == "L'écran reste blanc.\nDepuis ce matin."
    assert [name for _, name, _ in await rows(scene)] == ["petit.png"]
    assert kept(scene) == {str(id) for id, _, _ in await rows(scene)}


async def test_receiving_large_files_takes_little_memory(scene: Scene) -> None:
    form = await scene.form()
    large = [a_file(f"{number}.txt", b"a" * (8 * MEGABYTE)) for number in range(3)]
    request = scene.browser.build_request(
        "POST", form.action, data={**form.fields, **answers()}, files=large
    )
    await request.aread()
    await scene.browser.send(request)  # once, so that what is loaded once is loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        await scene.browser.send(request)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 24 * 1024


async def test_what_is_nobodys_is_swept(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await attach(scene, await scene.form(), a_file("a.png"), a_file("b.png"))
    [(first, _, _), (second, _, _)] = await rows(scene)
    sent = {**page.fields, "proofs": f"{first}\n{second}", "_remove_file": str(first)}
    await scene.page("POST", page.action, sent)
    runtime = scene.counter.runtime
    left = runtime.files.incoming / "left-by-a-crash"
    left.write_bytes(b"half")
    assert await sweep_bytes.sweep_bytes(runtime.database, runtime.files) == 0
    assert kept(scene) == {str(first), str(second), "left-by-a-crash"}
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await sweep_bytes.sweep_bytes(runtime.database, runtime.files) == 1
    assert kept(scene) == {str(second)}
    await scene.counter.hear(scene.tenant, scene.town.is_erased(), version=3)
    assert await rows(scene) == []
    await sweep_bytes.sweep_bytes(runtime.database, runtime.files)
    assert kept(scene) == set()


async def test_sending_takes_along_what_the_answers_name_and_no_more(scene: Scene) -> None:
    page = await attach(scene, await scene.form(), a_file("a.png"), a_file("b.png"))
    [(first, _, _), (_, _, _)] = await rows(scene)
    sent = {**page.fields, **answers(), "proofs": str(first), **NEXT}
    await scene.save(await scene.page("POST", page.action, sent))
    assert [name for _, name, _ in await rows(scene)] == ["a.png"]
    assert await scene.counter.of(scene.tenant, "SELECT draft_id FROM attachments") == [(None,)]


async def test_a_body_that_is_no_form_is_refused(scene: Scene) -> None:
    kinds = {
        "multipart/form-data": b"--",
        "multipart/form-data; boundary=x": b"--y\r\n",
        "multipart/form-data; boundary=" + "x" * 500: b"",
    }
    for kind, body in kinds.items():
        answer = await scene.browser.post(
            f"{START}/form", content=body, headers={"Content-Type": kind}
        )
        assert answer.status_code == 400, kind
