"""What comes before what it needs waits for that, not for ever; what is due later runs then."""

from datetime import timedelta

import pytest

from chassis import clock
from chassis.ids import new_id
from chassis.inbox.dead import dead_rows, replay
from chassis.inbox.worker import Patience
from contracts.identity import RegistrationLapsed
from services.identity.registration.lapse_registration import LapseRegistration
from tests.builders.notifier import a_profile, a_saved_request, a_tenant, told
from tests.builders.story import someone
from tests.support.apart import Apart

HANDLER = "mail_request_recorded"

BEFORE_ITS_PERSON = {HANDLER: "awaiting"}


@pytest.fixture
def unhurried(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits looks again by itself only after a day: the test would not see it."""
    for worker in apart.runtimes["notifier"].workers:
        monkeypatch.setattr(worker, "_patience", Patience(awaits_s=86_400))


async def awaits_since(apart: Apart, age: timedelta) -> None:
    """What waits at the notifier has waited for so long, and looks again now."""
    await apart.move(
        "notifier",
        "UPDATE inbox SET stored_at = :then, due_at = now() WHERE state = 'awaiting'",
        then=clock.now() - age,
    )
    await apart.work("notifier")


@pytest.mark.usefixtures("unhurried")
async def test_the_arrival_of_a_subject_wakes_who_waits_for_it(apart: Apart) -> None:
    tenant = new_id()
    request, other = a_saved_request(), a_saved_request()
    assert request.person_id is not None
    await apart.hear("notifier", told(tenant, request))
    await awaits_since(apart, timedelta(days=6))  # looked again, in vain: waits for a day more
    assert await apart.inbox("notifier", tenant) == BEFORE_ITS_PERSON

    await apart.hear("notifier", told(tenant, a_tenant(tenant)), told(tenant, other))
    assert await apart.rows("notifier", tenant, "mails") == []
    person = a_profile(person_id=request.person_id, account_id=request.account_id)
    await apart.hear("notifier", told(tenant, person))
    [mail] = await apart.rows("notifier", tenant, "mails")
    assert mail["person_id"] == str(request.person_id)
    [left] = await apart.rows("notifier", tenant, "inbox")
    assert (left["state"], left["awaits"]) == ("awaiting", str(other.person_id))
    assert left["attempts"] == 0  # waiting is no failure


@pytest.mark.usefixtures("unhurried")
async def test_what_waited_for_seven_days_is_dead_and_can_be_replayed(apart: Apart) -> None:
    tenant, request = new_id(), a_saved_request()
    assert request.person_id is not None
    event = told(tenant, request)
    await apart.hear("notifier", event)
    await awaits_since(apart, timedelta(days=7, seconds=1))
    assert await apart.inbox("notifier", tenant) == {HANDLER: "dead"}
    mover = apart.runtimes["notifier"].database.mover
    [dead] = [row for row in await dead_rows(mover) if row.tenant == tenant]
    assert (dead.id, dead.handler) == (event.id, HANDLER)
    assert dead.error == f"gave up waiting for {request.person_id}"

    person = a_profile(person_id=request.person_id, account_id=request.account_id)
    await apart.hear("notifier", told(tenant, person))
    assert await apart.inbox("notifier", tenant) == {HANDLER: "dead"}
    assert await replay(mover, tenant, event.id, HANDLER, by="test")
    await apart.work("notifier")
    assert await apart.inbox("notifier", tenant) == {}
    assert len(await apart.rows("notifier", tenant, "mails")) == 1


async def test_a_registration_lapses_when_its_thirty_days_are_over(apart: Apart) -> None:
    portal, who = apart.portal(), someone("Aumont")
    await portal.opens()
    submission = await portal.is_asked(who)
    await apart.settle(portal.tenant)
    [timer] = await apart.rows("identity", portal.tenant, "inbox")
    assert (timer["state"], timer["handler"]) == ("later", "lapse_registration")
    assert timer["envelope"]["type"] == f"timer.{LapseRegistration.__name__}"

    await apart.work("identity")  # before its time
    [registration] = await apart.rows("identity", portal.tenant, "registrations")
    assert registration["state"] == "opened"
    await apart.days_pass(submission)
    [registration] = await apart.rows("identity", portal.tenant, "registrations")
    assert registration["state"] == "lapsed"
    heard = await apart.settle(portal.tenant)
    assert [one.type for one in heard] == [RegistrationLapsed.type_name()]
    assert await apart.inbox("identity", portal.tenant) == {}


async def test_a_registration_that_was_activated_does_not_lapse(apart: Apart) -> None:
    portal, who = apart.portal(), someone("Bonnard")
    await portal.opens()
    submission = await portal.is_asked(who)
    await apart.settle(portal.tenant)
    await portal.activates(await portal.account_of(submission), who)
    await apart.settle(portal.tenant)
    await apart.days_pass(submission)
    assert await apart.settle(portal.tenant) == []
    [account] = await apart.rows("identity", portal.tenant, "accounts")
    assert account["state"] == "active"
    assert await apart.inbox("identity", portal.tenant) == {}
