"""A relay that takes no more connections: fewer are used, and nobody else waits for it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from chassis.settings import RelayAt
from tests.builders.notifier import an_activation_request
from tests.service.notifier.conftest import Office
from tests.service.notifier.driving import Run, arrived
from tests.support.scripted_smtp import Talk, scripted_smtp
from tests.support.waiting import eventually

CONNECTIONS = 3


@pytest.mark.parametrize("greeting", ["421 4.7.0 too many connections", "452 4.3.1 too busy"])
async def test_a_relay_that_takes_one_connection_gets_all_its_mail_by_that_one(
    office: Office, greeting: str
) -> None:
    full, good = [
        await office.tenant(slug=slug, host=f"{slug}.localhost") for slug in ("full", "good")
    ]
    refused = 0
    others = asyncio.Event()

    async def first(talk: Talk) -> None:
        async def once_the_others_were_refused() -> None:
            await others.wait()
            await talk.says("250 2.0.0 taken")

        await talk.serve(before=".", instead=once_the_others_were_refused)

    async def refusing(talk: Talk) -> None:
        nonlocal refused
        await talk.says(greeting)
        refused += 1

    for _ in range(6):
        await office.hear(full, an_activation_request())
    async with scripted_smtp([first, refusing, refusing]) as smtp:
        at = RelayAt(host="127.0.0.1", port=smtp.port, timeout_s=5, connections=CONNECTIONS)
        with capture_logs() as logs:
            async with Run(office.delivery(relays={"full": at})) as run:

                async def all_were_refused() -> bool:
                    return [one["event"] for one in logs].count("relay_full") == refused == 2

                assert await eventually(all_were_refused)
                await office.hear(good, an_activation_request())
                run.delivery.wake()
                await arrived(office.relay, 1)
                others.set()

                async def none_waits() -> bool:
                    return await office.of(full, "SELECT 1 FROM mails WHERE state = 'queued'") == []

                assert await eventually(none_waits)
                assert run.delivery.trouble() is None
    assert (smtp.connections, len(set(smtp.message_ids())), len(smtp.ended)) == (CONNECTIONS, 6, 6)
    assert await office.of(full, "SELECT DISTINCT outcome FROM attempts") == [("accepted",)]
    assert "relay_away" not in [one["event"] for one in logs]
