"""One trace from a click to its mail, as `GUICHET_TRACES` has it written to a file."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.post_office import PostOffice
from tests.support.process import a_guichet
from tests.support.towns import Town, Visitor
from tests.support.waiting import until

FROM_CLICK_TO_MAIL = [
    "gateway",
    "serve identity",
    "publish identity.RegistrationSubmitted.v1",
    "handle look_into_registration",
    "publish identity.ActivationRequested.v1",
    "handle mail_activation",
    "send activation",
    "smtp",
]


def mailed(file: Path) -> bool:
    """Has the mail's conversation been written down, and all that led there?"""
    found = traces.trace_with(traces.read(file), "send activation")
    return [one.name for one in traces.path_to(found, "smtp")][:1] == ["gateway"]


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """Takes all mail."""
    office = PostOffice()
    yield office
    office.close()


async def test_a_click_is_followed_to_its_mail(
    tmp_path: Path, post_office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "traces.jsonl"
    with a_guichet(traces=file, relay_host="127.0.0.1", relay_port=post_office.port) as guichet:
        guichet.run()
        town = Town("trace", Visitor(guichet.http_port), post_office)
        await town.registers()
        await town.visitor.close()
        assert await asyncio.to_thread(until, lambda: mailed(file), 60), guichet.tail()
        found = traces.trace_with(traces.read(file), "send activation")
        logged = guichet.logged().splitlines()
    drawn = traces.tree(found)
    with capsys.disabled():
        print(f"\n{drawn}")  # noqa: T201  # for whoever runs the test
    assert [one.name for one in traces.path_to(found, "smtp")] == FROM_CLICK_TO_MAIL, drawn
    [root] = [one for one in found if one.parent is None]
    assert root.name == "gateway"
    smtp = next(one for one in found if one.name == "smtp")
    assert (smtp.attributes["outcome"], smtp.attributes["code"]) == ("accepted", 250)
    for event in ("http_served", "mail_accepted"):  # logs tell the same id
        assert any(event in one and root.trace in one for one in logged), event
    assert town.address not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with a_guichet(traces=tmp_path / "nowhere" / "traces") as guichet:
        guichet.start()
        assert guichet.ended() == 1
        assert "set GUICHET_TRACES to another file" in guichet.said()
