"""Sessions in memory: how long they serve, and that nothing brings back what was revoked."""

from typing import Any, Literal
from uuid import UUID

import pytest

from chassis import clock
from chassis.ids import new_id
from chassis.principals import Principal
from contracts.event import Envelope, sealed
from contracts.identity import SessionRevoked
from gateway import sessions
from gateway.sessions import FRESH_S, STALE_S, TOMBSTONE_S, Sessions
from tests.builders.notifier import a_profile, told

TENANT, SESSION, ACCOUNT = new_id(), new_id(), new_id()
COOKIE = "a cookie"


class Clock:
    """Stands in for the module's `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    time = Clock()
    monkeypatch.setattr("gateway.sessions.time", time)
    return time


def an_answer(**changes: Any) -> dict[str, Any]:
    """What identity says of a cookie."""
    given = {
        "account_id": str(ACCOUNT),
        "person_id": str(new_id()),
        "organisation_id": None,
        "session_id": str(SESSION),
        "roles": ["customer"],
        "display_name": "Durand Claire",
        "language": "fr",
    }
    return {**given, **changes}


def revoked(scope: Literal["session", "account", "tenant"], id: UUID) -> Envelope:
    """The event that ends sessions."""
    event = SessionRevoked(scope=scope, scope_id=id, revoked_at=clock.now())
    return sealed(
        event, id=new_id(), tenant=TENANT, time=clock.now(), version=1, epoch=1, traceparent=None
    )


def changed(person: UUID) -> Envelope:
    """The event that tells a person anew."""
    return told(TENANT, a_profile(person_id=person))


def kept(known: Sessions, time: Clock, **changes: Any) -> Principal | None:
    """The session as it is kept when it is asked for and answered at this very moment."""
    return known.keep(TENANT, COOKIE, an_answer(**changes), time.now)


def test_who_a_session_is() -> None:
    organisation = new_id()
    principal = Sessions().keep(
        TENANT, COOKIE, an_answer(organisation_id=str(organisation)), asked_at=0.0
    )
    assert principal is not None
    assert (principal.kind, principal.signed_in) == ("person", True)
    assert (principal.session_id, principal.account_id) == (SESSION, ACCOUNT)
    assert principal.organisation_id == organisation
    assert principal.roles == {"customer"}
    assert principal.language == "fr"


def test_an_answer_serves_for_a_minute_and_for_ten_while_identity_is_away(time: Clock) -> None:
    known = Sessions()
    principal = kept(known, time)
    for seconds, fresh, stale in (
        (FRESH_S, principal, principal),
        (FRESH_S + 1, None, principal),
        (STALE_S, None, principal),
        (STALE_S + 1, None, None),
    ):
        time.now = 1000.0 + seconds
        assert known.fresh(TENANT, COOKIE) == fresh
        assert known.stale(TENANT, COOKIE) == stale


def test_age_counts_from_the_question(time: Clock) -> None:
    known = Sessions()
    known.keep(TENANT, COOKIE, an_answer(), asked_at=time.now - FRESH_S - 1)
    assert known.fresh(TENANT, COOKIE) is None


def test_a_cookie_serves_at_its_own_tenant_alone(time: Clock) -> None:
    known = Sessions()
    kept(known, time)
    assert known.fresh(new_id(), COOKIE) is None
    assert known.fresh(TENANT, "another cookie") is None


def test_no_cookie_is_kept_as_it_is(time: Clock) -> None:
    known = Sessions()
    kept(known, time)
    assert COOKIE not in repr(known._known)


@pytest.mark.parametrize(
    ("scope", "id"), [("session", SESSION), ("account", ACCOUNT), ("tenant", TENANT)]
)
async def test_what_is_revoked_is_gone_at_once(
    time: Clock, scope: Literal["session", "account", "tenant"], id: UUID
) -> None:
    known = Sessions()
    kept(known, time)
    await known.hear(revoked(scope, new_id()))
    assert known.fresh(TENANT, COOKIE) is not None
    await known.hear(revoked(scope, id))
    assert known.fresh(TENANT, COOKIE) is None
    assert known.stale(TENANT, COOKIE) is None


@pytest.mark.parametrize(
    ("scope", "id"), [("session", SESSION), ("account", ACCOUNT), ("tenant", TENANT)]
)
async def test_a_look_up_in_flight_brings_nothing_back(
    time: Clock, scope: Literal["session", "account", "tenant"], id: UUID
) -> None:
    known = Sessions()
    asked_at = time.now
    time.now += 1
    await known.hear(revoked(scope, id))
    time.now += TOMBSTONE_S - 2
    assert known.keep(TENANT, COOKIE, an_answer(), asked_at) is None
    assert known.fresh(TENANT, COOKIE) is None


@pytest.mark.parametrize(("scope", "id"), [("account", ACCOUNT), ("tenant", TENANT)])
async def test_who_signs_in_again_is_signed_in(
    time: Clock, scope: Literal["account", "tenant"], id: UUID
) -> None:
    """An account's sessions end when its password changes: the next one begins at once."""
    known = Sessions()
    await known.hear(revoked(scope, id))
    time.now += 0.1
    assert kept(known, time, session_id=str(new_id())) is not None
    assert known.fresh(TENANT, COOKIE) is not None


async def test_who_changed_is_asked_for_again_and_known_while_identity_is_away(
    time: Clock,
) -> None:
    known, person = Sessions(), new_id()
    before = kept(known, time, person_id=str(person))
    await known.hear(changed(new_id()))
    assert known.fresh(TENANT, COOKIE) == before
    await known.hear(changed(person))
    assert known.fresh(TENANT, COOKIE) is None
    assert known.stale(TENANT, COOKIE) == before
    time.now += 0.1
    after = kept(known, time, person_id=str(person), display_name="Durand-Roy Claire")
    assert known.fresh(TENANT, COOKIE) == after != before


async def test_an_answer_given_while_its_person_changed_serves_once(time: Clock) -> None:
    known, person = Sessions(), new_id()
    asked_at = time.now
    time.now += 0.1
    await known.hear(changed(person))
    assert known.keep(TENANT, COOKIE, an_answer(person_id=str(person)), asked_at) is not None
    assert known.fresh(TENANT, COOKIE) is None


async def test_tombstones_go(time: Clock) -> None:
    known = Sessions()
    await known.hear(revoked("session", SESSION))
    time.now += TOMBSTONE_S + 1
    await known.hear(revoked("session", new_id()))
    assert SESSION not in known._revoked


def test_what_was_not_looked_up_for_longest_goes_first(
    time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST", 2)
    known = Sessions()
    for cookie in ("first", "second", "first", "third"):
        known.keep(TENANT, cookie, an_answer(session_id=str(new_id())), time.now)
    assert known.fresh(TENANT, "second") is None
    assert known.fresh(TENANT, "first") is not None
    assert known.fresh(TENANT, "third") is not None


# ── While revocations are not heard ──────────────────────────────────────────────────────────────


def test_what_is_not_heard_of_serves_for_the_minute_and_no_longer(time: Clock) -> None:
    known = Sessions()
    principal = kept(known, time)
    known.lost()
    for seconds, served in ((FRESH_S, principal), (FRESH_S + 1, None)):
        time.now = 1000.0 + seconds
        assert known.fresh(TENANT, COOKIE) == served
        assert known.stale(TENANT, COOKIE) == served


async def test_once_heard_again_all_is_asked_anew(time: Clock) -> None:
    known = Sessions()
    kept(known, time)
    known.lost()
    await known.joined()
    assert known.fresh(TENANT, COOKIE) is None
    assert known.stale(TENANT, COOKIE) is None
    time.now += 0.1
    principal = kept(known, time)
    time.now += FRESH_S + 1
    assert known.stale(TENANT, COOKIE) == principal is not None


async def test_what_was_asked_before_it_was_heard_serves_once(time: Clock) -> None:
    known = Sessions()
    asked_at = time.now
    time.now += 1
    await known.joined()
    assert known.keep(TENANT, COOKIE, an_answer(), asked_at) is not None
    assert known.fresh(TENANT, COOKIE) is None


def test_how_long_a_session_is_fresh_can_be_set(time: Clock) -> None:
    known = Sessions(fresh_s=2)
    assert kept(known, time) is not None
    time.now += 2.1
    assert known.fresh(TENANT, COOKIE) is None
