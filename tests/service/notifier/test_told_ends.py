"""What the notifier tells the others of a mail's end."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP

from chassis.ids import new_id
from contracts.event import Envelope, Event
from contracts.notifier import Cause, MailAccepted, MailRefused
from services.notifier.domain.kinds import KINDS, Template
from tests.builders.notifier import (
    MAYOR,
    a_profile,
    a_saved_request,
    an_activation_request,
    an_erasure,
    now,
)
from tests.service.notifier.conftest import Office
from tests.service.notifier.driving import (
    attempts,
    delivered,
    only,
)
from tests.service.notifier.relay import ScriptedRelay, reply


async def told_of(office: Office, tenant: UUID) -> list[Event]:
    """What the notifier told, in order."""
    rows = await office.of(tenant, "SELECT envelope FROM outbox ORDER BY position")
    return [Envelope.model_validate(row[0]).event() for row in rows]


async def test_a_mails_end_is_told_once_with_what_it_was_about(office: Office) -> None:
    tenant = await office.tenant()
    person, account = new_id(), new_id()
    activation = an_activation_request(account_id=account)
    request = a_saved_request(person_id=person, account_id=account)
    await office.hear(tenant, activation)
    office.relay.script = [reply(f"451 <{MAYOR}> is greylisted"), reply(f"250 kept for {MAYOR}")]
    await delivered(office.delivery())
    await office.hear(tenant, a_profile(person_id=person, account_id=account), request)
    office.relay.rcpt_reply = {MAYOR: f"550 5.1.1 <{MAYOR}>: Recipient rejected"}
    await delivered(office.delivery())
    accepted, refused = await told_of(office, tenant)
    assert isinstance(accepted, MailAccepted)
    assert (accepted.submission_id, accepted.account_id) == (activation.submission_id, account)
    assert (accepted.template, accepted.attempts, accepted.code) == ("activation", 2, 250)
    assert accepted.words == "kept for …"
    assert isinstance(refused, MailRefused)
    assert (refused.request_id, refused.person_id) == (request.request_id, person)
    assert (refused.cause, refused.code) == (Cause.REFUSED, 550)
    assert refused.words == "5.1.1 …: Recipient rejected"
    resting = [str(one) for one in (*await attempts(office), accepted, refused)]
    assert not [one for one in resting if "saint-amand" in one]


async def test_what_is_no_address_and_what_came_too_late_are_told_as_refused(
    office: Office,
) -> None:
    tenant = await office.tenant()
    await office.hear(
        tenant,
        an_activation_request(address="nobody"),
        an_activation_request(requested_at=now() - timedelta(days=7, minutes=1)),
    )
    delivery = office.delivery()
    await only(delivery)._queue.drop_old(now())
    await delivered(delivery)
    told = await told_of(office, tenant)
    assert all(isinstance(one, MailRefused) for one in told)
    assert {(one.cause, one.attempts) for one in told if isinstance(one, MailRefused)} == {
        (Cause.UNSENDABLE, 1),
        (Cause.TOO_OLD, 0),
    }


async def test_a_mail_that_is_deferred_for_ever_is_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = replace(KINDS[Template.ACTIVATION], tries=3)
    monkeypatch.setitem(KINDS, Template.ACTIVATION, kind)
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    office.relay.script = [reply("451 4.3.0 disk full")] * 5
    await delivered(office.delivery())
    assert len(office.relay.received) == 3
    [told] = await told_of(office, tenant)
    assert isinstance(told, MailRefused)
    assert (told.cause, told.attempts, told.code) == (Cause.GAVE_UP, 3, 451)
    assert told.words == "4.3.0 disk full"


async def test_an_erased_mail_is_not_told_of(office: Office) -> None:
    tenant = await office.tenant()
    event = an_activation_request()
    await office.hear(tenant, event)

    async def erase(_relay: ScriptedRelay, _server: SMTP) -> None:
        await office.hear(tenant, an_erasure(event.account_id, new_id()))

    office.relay.script = [erase]
    await delivered(office.delivery())
    assert await told_of(office, tenant) == []


async def test_an_erasure_takes_along_what_was_told_and_not_published(office: Office) -> None:
    tenant = await office.tenant()
    event = an_activation_request()
    await office.hear(tenant, event)
    await delivered(office.delivery())
    assert len(await told_of(office, tenant)) == 1
    await office.hear(tenant, an_erasure(event.account_id, new_id()))
    assert await told_of(office, tenant) == []
