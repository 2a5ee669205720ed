"""From the queue to the relay's final answer."""

import asyncio
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy.exc import DBAPIError

from chassis.settings import RelayAt
from chassis.signatures import read
from services.notifier.delivery.claim import free_all_leases
from services.notifier.delivery.deliver import Deliverer
from services.notifier.delivery.mails import Letter
from services.notifier.delivery.send import SmtpLine
from services.notifier.delivery.steps import MayEnd, Steps
from services.notifier.domain.answers import Answer
from tests.builders.notifier import (
    a_changed_password,
    a_password_reset,
    an_activation_request,
    now,
    told,
)
from tests.service.notifier.conftest import Office
from tests.service.notifier.driving import (
    PATIENCE_S,
    Run,
    arrived,
    attempts,
    delivered,
    link_in,
    only,
    states,
)
from tests.service.notifier.relay import ScriptedRelay, reply, take_and_hang_up

# ── What the relay answers ────────────────────────────────────────────────────────────────────────


async def test_a_deferred_mail_is_sent_again_as_the_same_mail(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    office.relay.script = [reply("451 4.7.1 greylisted, come back")]
    await delivered(office.delivery())
    first, second = office.relay.received
    assert first["Message-ID"] == second["Message-ID"]
    assert str(first["Message-ID"]).endswith("@ypok.localhost>")
    assert await attempts(office) == [
        ("deferred", 451, "4.7.1 greylisted, come back"),
        ("accepted", 250, "taken"),
    ]
    assert await office.rows("SELECT attempts, accepted_at IS NULL FROM mails") == [(2, False)]
    for mail in (first, second):
        read(office.runtime.keys.public_keys("notifier"), link_in(mail))


async def test_a_refused_mail_is_not_tried_again(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request(), an_activation_request(address="x@y.example"))
    office.relay.rcpt_reply = {"x@y.example": "550 5.1.1 no such mailbox"}
    await delivered(office.delivery())
    assert await states(office) == [("accepted", 1), ("refused", 1)]
    assert ("refused", 550, "5.1.1 no such mailbox") in await attempts(office)
    assert office.relay.connections == 1


async def test_a_relay_that_wants_a_sign_in_refuses_us_and_not_the_mail(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    office.relay.script = [reply("530 5.7.0 authentication required")]
    await delivered(office.delivery())
    assert [row[0] for row in await attempts(office)] == ["deferred", "accepted"]


async def test_an_answer_lost_after_the_dot_makes_one_copy_with_the_same_id(
    office: Office,
) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    office.relay.script = [take_and_hang_up]
    await delivered(office.delivery())
    first, copy = office.relay.received
    assert first["Message-ID"] == copy["Message-ID"]
    assert [row[:2] for row in await attempts(office)] == [("unknown", None), ("accepted", 250)]


async def test_a_slow_relay_is_waited_for_longer_than_a_lease_and_not_for_ever(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deliverer, "RENEW_S", 0.05)
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    began, free = asyncio.Event(), asyncio.Event()

    async def slow(_relay: ScriptedRelay, _server: SMTP) -> None:
        began.set()
        await free.wait()

    office.relay.script = [slow]
    delivery, heir = office.delivery(relay_timeout_s=0.5), office.delivery()
    only(delivery)._queue._lease = timedelta(seconds=2)  # type: ignore[attr-defined]
    started = asyncio.get_running_loop().time()
    async with Run(delivery):
        async with asyncio.timeout(PATIENCE_S):
            await began.wait()
            while not await attempts(office):
                if await heir.deliver_due():  # nobody takes over what is waited for, but after
                    assert (await attempts(office))[0][0] == "unknown"
                await asyncio.sleep(0.05)
    free.set()
    assert asyncio.get_running_loop().time() - started > 4
    assert (await attempts(office))[0] == ("unknown", None, "SMTPReadTimeoutError")
    await delivered(heir)
    assert len({mail["Message-ID"] for mail in office.relay.received}) == 1


async def test_who_has_lost_the_lease_leaves_the_mail_without_its_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Steps, "FRESH_S", 0.0)
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    lost, heir = office.delivery(), office.delivery()
    offered = only(lost)._relay.line
    taken_over = 0

    class Overtaken(SmtpLine):
        """Another gets the lease while the text is on its way."""

        async def send(self, letter: Letter, may_end: MayEnd) -> Answer | None:
            async def late() -> bool:
                nonlocal taken_over
                await office.rows("UPDATE mails SET lease_until = now() - interval '1 second'")
                taken_over += await heir.deliver_due()
                return await may_end()

            return await super().send(letter, late)

    def line() -> SmtpLine:
        made = offered()
        assert isinstance(made, SmtpLine)
        return Overtaken(made._at, own_name="test")

    only(lost)._relay.line = line  # type: ignore[method-assign]
    await lost.deliver_due()
    assert taken_over == 1
    assert len(office.relay.received) == 1
    assert await attempts(office) == [("accepted", 250, "taken")]


async def test_one_connection_is_kept_for_many_mails_and_renewed_when_lost(office: Office) -> None:
    tenant = await office.tenant()
    delivery = office.delivery()
    for _ in range(3):
        await office.hear(tenant, an_activation_request())
    await delivered(delivery)
    assert office.relay.connections == 1
    [line] = only(delivery)._lines
    assert isinstance(line, SmtpLine)
    assert line._connection is not None
    line._connection.drop()
    await office.hear(tenant, an_activation_request())
    await delivered(delivery)
    assert office.relay.connections == 2
    assert [row[0] for row in await attempts(office)] == ["accepted"] * 4


# ── Several deliverers ────────────────────────────────────────────────────────────────────────────


async def test_two_deliverers_send_two_hundred_mails_once_each(office: Office) -> None:
    tenants = [await office.tenant() for _ in range(4)]
    for tenant in tenants:
        told_of = [told(tenant, an_activation_request()) for _ in range(50)]
        await office.runtime.inbox.store(told_of)
    await office.runtime.workers[0].drain()
    one, other = office.delivery(), office.delivery()
    await asyncio.gather(delivered(one), delivered(other))
    assert await states(office) == [("accepted", 200)]
    assert await office.rows("SELECT count(*)::int FROM attempts") == [(200,)]
    ids = [mail["Message-ID"] for mail in office.relay.received]
    assert len(ids) == len(set(ids)) == 200
    assert office.relay.connections > 1


async def test_a_quiet_tenant_does_not_wait_behind_a_loud_one(office: Office) -> None:
    loud, quiet = sorted([await office.tenant(), await office.tenant()])
    told_of = [told(loud, an_activation_request()) for _ in range(60)]
    await office.runtime.inbox.store(told_of)
    await office.hear(quiet, an_activation_request(address="calme@quiet.example"))
    await office.delivery().deliver_due()
    assert "calme@quiet.example" in {str(mail["To"]) for mail in office.relay.received}


async def test_a_reset_goes_before_notices_which_go_on_all_the_same(
    office: Office,
) -> None:
    tenant = await office.tenant()
    notices = [told(tenant, a_changed_password(changed_at=now())) for _ in range(60)]
    await office.runtime.inbox.store(notices)
    resets = [told(tenant, a_password_reset()) for _ in range(60)]
    await office.runtime.inbox.store(resets)
    await office.runtime.workers[0].drain()
    delivery = office.delivery()
    await delivery.deliver_due()
    subjects = [str(mail["Subject"]) for mail in office.relay.received]
    reset, changed = "Votre nouveau mot de passe sur YService", "Votre mot de passe a été modifié"
    assert set(subjects) == {reset, changed}
    assert subjects.index(changed) == subjects.count(reset)


@pytest.mark.parametrize("stuck", ["loud", "quiet"])
async def test_a_tenants_own_relay_that_is_stuck_holds_nobody_else_up(
    office: Office, stuck: str
) -> None:
    tenants = {
        slug: await office.tenant(slug=slug, host=f"{slug}.localhost") for slug in ("loud", "quiet")
    }
    for tenant in tenants.values():
        await office.hear(tenant, *(an_activation_request() for _ in range(3)))
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(PATIENCE_S), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    at = RelayAt(host="127.0.0.1", port=port, timeout_s=1)
    delivery = office.delivery(relays={stuck: at})
    async with Run(delivery):
        await arrived(office.relay, 3)
    silent.close()
    [other] = set(tenants) - {stuck}
    rows = await office.of(tenants[other], "SELECT state FROM mails")
    assert rows == [("accepted",)] * 3
    assert (
        await office.of(tenants[stuck], "SELECT state, attempts FROM mails") == [("queued", 0)] * 3
    )


async def test_a_lease_keeps_others_off_until_it_ends(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    lost, heir = office.delivery(), office.delivery()
    [key] = await only(lost)._queue.claim(now(), most=5, each=5)
    assert await only(heir)._queue.claim(now(), most=5, each=5) == []
    await office.rows("UPDATE mails SET lease_until = now() - interval '1 second'")
    assert await only(heir)._queue.claim(now(), most=5, each=5) == [key]
    assert await only(lost)._queue.take(key, "<late>", now()) is None
    assert await only(heir)._queue.take(key, "<heir>", now()) is not None


async def test_who_knows_that_nobody_delivers_frees_the_leases(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    assert len(await only(office.delivery())._queue.claim(now(), most=5, each=5)) == 1
    await free_all_leases(office.runtime.database.mover)
    await delivered(office.delivery())
    assert len(office.relay.received) == 1


async def test_an_acceptance_is_marked_though_the_database_went_away(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())

    async def kill_sessions(_relay: ScriptedRelay, _server: SMTP) -> None:
        with pytest.raises(DBAPIError):  # its own session ends last
            await office.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND application_name = 'notifier mover'"
                " ORDER BY pid = pg_backend_pid()"
            )

    office.relay.script = [kill_sessions]
    await office.delivery().deliver_due()
    assert len(office.relay.received) == 1
    assert await states(office) == [("accepted", 1)]
