"""Delivery while it runs: woken, away from its relay, stopped."""

import asyncio

import pytest
from aiosmtpd.smtp import SMTP

from chassis.ids import new_id
from services.notifier.delivery.deliver import Deliverer
from services.notifier.delivery.part import hear_of_mails, install_delivery, tell_delivery
from services.notifier.delivery.send import SmtpLine
from tests.builders.notifier import (
    a_tenant,
    an_activation_request,
    told,
)
from tests.service.notifier.conftest import QUICK, Office
from tests.service.notifier.driving import (
    PATIENCE_S,
    Run,
    arrived,
    attempts,
    states,
)
from tests.service.notifier.relay import ScriptedRelay


async def test_the_service_delivers_while_it_runs(office: Office) -> None:
    install_delivery(office.runtime)
    office.runtime.start()
    try:
        tenant = new_id()
        envelopes = [told(tenant, an_activation_request()), told(tenant, a_tenant(tenant))]
        await office.runtime.inbox.store(envelopes)
        await arrived(office.relay, 1)
    finally:
        await office.runtime.stop()
    assert await states(office) == [("accepted", 1)]


async def test_a_handlers_commit_wakes_delivery(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deliverer, "POLL_S", 60.0)
    tenant = await office.tenant()
    delivery = office.delivery()
    office.runtime.after_handled.append(delivery.wake)
    async with Run(delivery):
        await asyncio.sleep(0.2)  # it has found nothing, and rests
        assert office.relay.received == []
        await office.hear(tenant, an_activation_request())
        await arrived(office.relay, 1)
    assert await states(office) == [("accepted", 1)]


async def test_delivery_apart_is_told_of_mails_whatever_becomes_of_its_connections(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deliverer, "POLL_S", 60.0)
    tenant = await office.tenant()
    delivery = office.delivery()
    tell_delivery(office.runtime)
    hear_of_mails(office.runtime, delivery)
    office.runtime.start()
    try:
        async with Run(delivery):
            for count in range(1, 4):
                await asyncio.sleep(0.2)  # it has found nothing, and rests
                assert len(office.relay.received) == count - 1
                await office.runtime.inbox.store([told(tenant, an_activation_request())])
                await arrived(office.relay, count)
                await office.rows(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ="
                    " current_user AND application_name IN ('notifier notice', 'delivery listener')"
                )
    finally:
        await office.runtime.stop()
    assert await states(office) == [("accepted", 3)]


async def test_while_the_relay_is_away_nothing_is_lost_and_little_is_done(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await office.tenant()
    await office.relay.stop()
    delivery = office.delivery()
    calls = 0
    connect = SmtpLine.connect

    async def counted(line: SmtpLine) -> None:
        nonlocal calls
        calls += 1
        await connect(line)

    monkeypatch.setattr(SmtpLine, "connect", counted)
    started = asyncio.get_running_loop().time()
    async with Run(delivery):
        for _ in range(30):
            await office.hear(tenant, an_activation_request())
            delivery.wake()
            await asyncio.sleep(0.02)
        took_s = asyncio.get_running_loop().time() - started
        assert 2 <= calls <= 5 + took_s / (QUICK.away_longest_s / 2)
        assert await states(office) == [("queued", 30)]
        assert await attempts(office) == []
        await office.relay.start()
        await arrived(office.relay, 30)
    ids = {mail["Message-ID"] for mail in office.relay.received}
    assert len(ids) == len(office.relay.received) == 30


async def test_stopping_finishes_the_mail_under_way_and_gives_the_rest_back(
    office: Office,
) -> None:
    tenant = await office.tenant()
    for _ in range(4):
        await office.hear(tenant, an_activation_request())
    delivery = office.delivery()
    run = Run(delivery)

    async def stop(_relay: ScriptedRelay, _server: SMTP) -> None:
        run.stopping.set()

    office.relay.script = [stop]
    async with run, asyncio.timeout(PATIENCE_S):
        await run.task
    assert await states(office) == [("accepted", 1), ("queued", 3)]
    assert await office.rows("SELECT count(*)::int FROM mails WHERE lease_by IS NOT NULL") == [(0,)]
