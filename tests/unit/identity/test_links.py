"""What a mailed link says, and when it serves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis.ids import new_id
from contracts.links import LIFETIMES, Purpose, address_hash
from services.identity.domain.activations import can_ask_again, check_serves
from services.identity.domain.links import (
    AlteredLink,
    ExpiredLink,
    ForeignLink,
    GoneLink,
    Link,
    Standing,
    UnusableLink,
    UsedLink,
    check_serves_active,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = "mairie@givors.example"
LINK = Link(Purpose.ACTIVATION, new_id(), new_id(), address_hash(ADDRESS), NOON)
WAITING = Standing("pending", ADDRESS, consumed_at=None, voided_at=None)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def test_a_link_is_read_from_its_claims() -> None:
    claims = {
        "p": "activation",
        "i": LINK.id.hex,
        "t": str(LINK.tenant),
        "a": LINK.address_hash,
        "s": int(NOON.timestamp()),
    }
    assert Link.of(claims) == LINK


@pytest.mark.parametrize(
    "change", [{"p": "other"}, {"i": 1}, {"i": "x"}, {"t": None}, {"s": "soon"}, {"s": 10**20}]
)
def test_claims_of_another_form_are_no_link(change: dict[str, object]) -> None:
    claims = {"p": "activation", "i": LINK.id.hex, "t": str(LINK.tenant), "a": "", "s": 1}
    with pytest.raises(AlteredLink):
        Link.of({**claims, **change})


@pytest.mark.parametrize("purpose", list(Purpose))
def test_its_age_counts_from_sending(purpose: Purpose) -> None:
    link = replace(LINK, purpose=purpose)
    for age in (-MINUTE, timedelta(0), LIFETIMES[purpose] + MINUTE):
        link.check_age(NOON + age)
    for age in (-3 * MINUTE, LIFETIMES[purpose] + 3 * MINUTE):
        with pytest.raises(ExpiredLink):
            link.check_age(NOON + age)


def test_it_serves_on_its_own_page_of_its_own_portal() -> None:
    LINK.check_place(Purpose.ACTIVATION, LINK.tenant)
    with pytest.raises(ForeignLink):
        LINK.check_place(Purpose.INVITATION, LINK.tenant)
    with pytest.raises(ForeignLink):
        LINK.check_place(Purpose.ACTIVATION, new_id())


@pytest.mark.parametrize(
    ("standing", "refusal", "again"),
    [
        (None, GoneLink, False),
        (replace(WAITING, account_state="erased"), GoneLink, False),
        (replace(WAITING, account_state="active"), UsedLink, False),
        (replace(WAITING, account_state="active", consumed_at=NOON), UsedLink, False),
        (replace(WAITING, voided_at=NOON), UsedLink, True),
        (replace(WAITING, address="other@givors.example"), GoneLink, False),
    ],
)
def test_what_it_names_decides_whether_it_serves(
    standing: Standing | None, refusal: type[UnusableLink], again: bool
) -> None:
    with pytest.raises(refusal):
        check_serves(LINK, standing, NOON)
    assert can_ask_again(LINK, standing) is again


def test_an_account_that_waits_is_served_whatever_the_case_of_its_address() -> None:
    check_serves(LINK, replace(WAITING, address="Mairie@Givors.Example"), NOON)


def test_an_old_link_to_an_account_that_waits_may_be_asked_for_again() -> None:
    with pytest.raises(ExpiredLink):
        check_serves(LINK, WAITING, NOON + 2 * DAY)
    assert can_ask_again(LINK, WAITING)


ACTIVE = replace(WAITING, account_state="active")
RESET = replace(LINK, purpose=Purpose.RESET)


def test_a_link_of_an_active_account_serves_for_an_hour() -> None:
    check_serves_active(RESET, ACTIVE, NOON + timedelta(minutes=59))
    with pytest.raises(ExpiredLink):
        check_serves_active(RESET, ACTIVE, NOON + timedelta(minutes=63))


@pytest.mark.parametrize(
    ("standing", "refusal"),
    [
        (None, GoneLink),
        (WAITING, GoneLink),
        (replace(ACTIVE, account_state="erased"), GoneLink),
        (replace(ACTIVE, address="ailleurs@givors.example"), GoneLink),
        (replace(ACTIVE, consumed_at=NOON), UsedLink),
        (replace(ACTIVE, voided_at=NOON), UsedLink),
    ],
)
def test_a_link_of_an_active_account_is_refused(
    standing: Standing | None, refusal: type[UnusableLink]
) -> None:
    with pytest.raises(refusal):
        check_serves_active(RESET, standing, NOON + MINUTE)
