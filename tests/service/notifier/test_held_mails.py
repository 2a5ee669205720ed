"""Mails that may not be sent, or not yet; and no link that works rests with those that wait."""

import re
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP
from structlog.testing import capture_logs

from chassis.ids import new_id
from chassis.signatures import BadSignature, read
from tests.builders.notifier import (
    MAYOR,
    a_known_address,
    a_tenant,
    an_activation_request,
    an_erasure,
    an_invitation,
    now,
    told,
)
from tests.service.notifier.conftest import Office
from tests.service.notifier.driving import (
    attempts,
    delivered,
    only,
    states,
)
from tests.service.notifier.relay import ScriptedRelay, reply, text_of


async def test_a_suspended_tenants_mails_are_held_and_sent_after_its_return(
    office: Office,
) -> None:
    tenant = await office.tenant(state="suspended")
    await office.hear(tenant, an_activation_request())
    delivery = office.delivery()
    await delivered(delivery)
    assert office.relay.received == []
    await office.hear(tenant, told(tenant, a_tenant(tenant), version=2))
    await delivered(delivery)
    assert len(office.relay.received) == 1


async def test_a_tenant_suspended_after_the_claim_is_still_heeded(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request(), an_activation_request())
    delivery = office.delivery()

    async def suspend(_relay: ScriptedRelay, _server: SMTP) -> None:
        await office.hear(tenant, told(tenant, a_tenant(tenant, state="suspended"), version=2))

    office.relay.script = [suspend]
    await delivered(delivery)
    assert len(office.relay.received) == 1
    assert await states(office) == [("accepted", 1), ("queued", 1)]


async def test_an_activation_not_sent_within_seven_days_is_dropped(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(
        tenant,
        an_activation_request(requested_at=now() - timedelta(days=7, minutes=1)),
        an_activation_request(requested_at=now() - timedelta(days=6, hours=23)),
    )
    delivery = office.delivery()
    await only(delivery)._queue.drop_old(now())
    await delivered(delivery)
    assert await states(office) == [("accepted", 1), ("dropped", 1)]
    assert len(office.relay.received) == 1


async def test_a_mail_erased_while_it_is_sent_leaves_nothing(office: Office) -> None:
    tenant = await office.tenant()
    event = an_activation_request()
    await office.hear(tenant, event)

    async def erase(_relay: ScriptedRelay, _server: SMTP) -> str:
        await office.hear(tenant, an_erasure(event.account_id, new_id()))
        return "451 later"

    office.relay.script = [erase]
    await delivered(office.delivery())
    assert await states(office) == []
    assert await attempts(office) == []


async def test_no_link_that_works_rests_anywhere_while_its_mail_waits(office: Office) -> None:
    tenant = await office.tenant()
    publics = office.runtime.keys.public_keys("notifier")
    [kid] = publics
    signed = re.compile(rf"{kid}\.[\w-]+\.[\w-]+")
    with capture_logs() as logs:
        await office.hear(tenant, an_activation_request(), a_known_address(), an_invitation())
        office.relay.script = [reply("451 wait")] * 3
        delivery = office.delivery()
        await delivery.deliver_due()
        resting = await office.dump() + str(logs)
        assert "451" in resting  # the dump holds what there is
        assert MAYOR in resting
        assert "queued" in resting
        assert signed.findall(resting) == []
        await delivered(delivery)
        assert signed.findall(await office.dump() + str(logs)) == []
    assert MAYOR not in str(logs)
    for mail in office.relay.received:
        [token] = set(signed.findall(text_of(mail)))
        read(publics, token)
        with pytest.raises(BadSignature):
            read(publics, token[:-4] + "AAAA")
