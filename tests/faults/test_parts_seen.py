"""Parts as processes of their own, seen from outside: Prometheus scrapes each, and one trace leads
from a click through all of them to the mail."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.installation import free_port
from tests.support.parts import RunningApart, running_apart
from tests.support.people import registers
from tests.support.prometheus import a_prometheus
from tests.support.waiting import until

FROM_CLICK_TO_MAIL = [
    ("gateway", "gateway"),
    ("serve identity", "identity"),
    ("publish identity.RegistrationSubmitted.v1", "identity"),
    ("handle look_into_registration", "identity"),
    ("publish identity.ActivationRequested.v1", "identity"),
    ("handle mail_activation", "notifier"),
    ("send activation", "notifier"),  # by whichever of its processes delivers
    ("smtp", "notifier"),
]
ADDRESS = "mairie@trace.example"


@pytest.fixture
async def seen(
    postgres_url: str, rabbitmq_url: str, worker_folder: Path
) -> AsyncIterator[tuple[RunningApart, dict[str, int], Path]]:
    """An installation of six processes, by part the port of its metrics, and its traces."""
    file = worker_folder / "traces.jsonl"
    async with running_apart(
        postgres_url, rabbitmq_url, worker_folder / "seen", start=False, traces=str(file)
    ) as whole:
        ports = {name: free_port() for name in whole.parts.names}
        for name, port in ports.items():
            whole.parts.start(name, metrics_port=port)
        await asyncio.to_thread(whole.parts.await_ready)
        await whole.settled()
        yield whole, ports, file


async def test_each_part_is_scraped_and_a_click_is_followed_through_them(
    seen: tuple[RunningApart, dict[str, int], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole, ports, file = seen
    assert len(ports) == 6
    async with a_prometheus(tmp_path / "prometheus", ports) as prometheus:
        await prometheus.until_up(*ports)
    async with whole.visitor() as visitor:
        await registers(visitor, ADDRESS)
    assert await asyncio.to_thread(until, lambda: is_whole(file), 60), traces.tree(
        traces.trace_with(traces.read(file), "handle look_into_registration")
    )
    found = traces.trace_with(traces.read(file), "send activation")
    drawn = traces.tree(found)
    with capsys.disabled():
        print(f"\n{drawn}")  # noqa: T201  # for whoever runs the test
    path = traces.path_to(found, "smtp")
    assert [(one.name, one.part.removesuffix("-delivery")) for one in path] == FROM_CLICK_TO_MAIL, (
        drawn
    )
    for part in ("identity", path[-1].part):  # logs tell the same id
        assert path[0].trace in whole.parts.logged(f"{part}.1"), part
    assert ADDRESS not in file.read_text()


def is_whole(file: Path) -> bool:
    """Has every process written its part of the trace?"""
    found = traces.trace_with(traces.read(file), "send activation")
    return [one.name for one in traces.path_to(found, "smtp")][:1] == ["gateway"]
