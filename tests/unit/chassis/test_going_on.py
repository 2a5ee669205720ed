"""What ends before its time begins again; what was told to end does not."""

import asyncio

import pytest
from structlog.testing import capture_logs

from chassis import going_on as module
from chassis.going_on import going_on


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_AFTER_S", 0)


@pytest.mark.parametrize("error", [ValueError("secret"), asyncio.CancelledError()], ids=repr)
async def test_what_fails_begins_again_and_is_told(error: BaseException) -> None:
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise error

    with capture_logs() as logs:
        await going_on("delivery", run, asyncio.Event())
    assert len(runs) == 3
    assert [(one["event"], one["what"]) for one in logs] == [("ended_early", "delivery")] * 2
    assert {one["error"] for one in logs} == {type(error).__name__}
    assert "secret" not in str(logs)


async def test_what_returns_is_not_begun_again() -> None:
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)

    await going_on("delivery", run, asyncio.Event())
    assert runs == [1]


async def test_once_all_stops_a_failure_ends_it() -> None:
    stopping = asyncio.Event()
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)
        stopping.set()
        raise ValueError

    async with asyncio.timeout(5):
        await going_on("delivery", run, stopping)
    assert runs == [1]


async def test_who_is_cancelled_is_not_begun_again() -> None:
    started = asyncio.Event()

    async def run() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(going_on("delivery", run, asyncio.Event()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
