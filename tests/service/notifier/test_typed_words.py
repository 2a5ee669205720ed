"""What people typed, names and addresses, in a mail: as harmless as any other words."""

import json
from importlib import resources
from typing import Any

import pytest

from contracts.event import Event
from contracts.requests import RequestSaved
from services.notifier.service import service
from tests.builders.notifier import (
    MAYOR,
    a_profile,
    a_tenant,
    an_activation_request,
    now,
    told,
)
from tests.service.notifier.conftest import Office
from tests.service.notifier.driving import (
    attempts,
    delivered,
    states,
)
from tests.service.notifier.relay import text_of

HOSTILE = (
    "Ville\r\nBcc: everyone@evil.example\r\n\r\nHello",
    "<script>alert(1)</script>",
    "\u202eevil\u2066 \u200fמשטרה",
    "é" * 1000,
    "x" * 1000,
    "\x00\x1b[31m\u2028line\udce9",
    "=?utf-8?q?x=0D=0ABcc=3A_everyone=40evil.example?=",
    '</mj-text><mj-include path="/etc/passwd"/>{{ 7*7 }}',
)


def golden(event: type[Event]) -> str:
    """The event's published example."""
    file = resources.files("contracts") / "examples" / f"{event.type_name()}.json"
    return file.read_text("utf-8")


def mailed() -> list[type[Event]]:
    """The events that make a mail."""
    listed = [one for one in service.subscriptions if one.name.startswith("mail_")]
    return [event for one in listed for event in one.events]


def typed(value: Any, text: str, name: str = "") -> Any:
    """The value with the text in place of all that somebody may have typed."""
    if isinstance(value, dict):
        return {key: typed(one, text, key) for key, one in value.items()}
    if name.endswith(("_id", "_ids", "language")) or value is None:
        return value
    if name.endswith("_at"):
        return now()  # what was asked for too long ago is not sent
    if "address" in name:
        return MAYOR
    return [typed(one, text) for one in value] if isinstance(value, list) else text


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_make_no_header_and_no_markup(office: Office, name: str) -> None:
    stored = name.replace("\x00", "").encode("utf-8", "ignore").decode()  # as JSON can hold it
    tenant = await office.tenant(
        brand={"portal_name": stored, "colour": "red}</style>"}, signature={"fr": stored}
    )
    examples = {event: json.loads(golden(event)) for event in mailed()}
    filed = examples[RequestSaved]
    await office.hear(
        tenant,
        a_profile(person_id=filed["person_id"], account_id=filed["account_id"], birth_name=stored),
        *(event.model_validate(typed(data, stored)) for event, data in examples.items()),
    )
    await delivered(office.delivery())
    assert await states(office) == [("accepted", len(examples))]
    for raw, mail in zip(office.relay.raw, office.relay.received, strict=True):
        assert [header.lower() for header in mail.keys()] == [  # noqa: SIM118  doubles included
            "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version",
            "content-type", "x-peer", "x-mailfrom", "x-rcptto",
        ][: len(mail.keys())]  # fmt: skip
        assert mail["To"].addresses[0].addr_spec == MAYOR
        assert mail["From"].addresses[0].addr_spec == "sav@ypok.example"
        assert len(mail["From"].addresses) == len(mail["To"].addresses) == 1
        assert max(len(line) for line in raw.split(b"\r\n")) <= 998  # RFC 5322 §2.1.1
        assert "<script>" not in text_of(mail, "html")
        assert "red}" not in text_of(mail, "html")
        assert "\u202e" not in mail["Subject"] + mail["From"]


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b>, <c@evil.example",
        "a@b.example\r\nRCPT TO:<c@evil.example>",
        "@b",
        "=?utf-8?q?a=0D=0ABcc=3A_c=40evil.example?=@b.example",
        "a@=?utf-8?q?b=0D=0ABcc=3A_c=40evil.example?=",
    ],
)
async def test_what_is_no_address_is_refused_without_asking_the_relay(
    office: Office, address: str
) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request(address=address), an_activation_request())
    await delivered(office.delivery())
    assert await states(office) == [("accepted", 1), ("refused", 1)]
    assert [mail["To"] for mail in office.relay.received] == [MAYOR]


async def test_a_tenant_whose_own_address_is_none_loses_no_mail(office: Office) -> None:
    nobody = {"phone": "", "hours": {}, "mail": "nobody"}
    tenant = await office.tenant(support=nobody)
    await office.hear(tenant, an_activation_request())
    delivery = office.delivery()
    await delivery.deliver_due()
    assert await attempts(office) == [("deferred", None, "not rendered: NoSender")]
    await office.hear(tenant, told(tenant, a_tenant(tenant), version=2))
    await delivered(delivery)
    assert await states(office) == [("accepted", 1)]


@pytest.mark.parametrize(
    "address", ["a..b@town.example", ".a@town.example", "o'neil+x@town.example", "a!#$%&@t.example"]
)
async def test_an_odd_address_reaches_its_owner(office: Office, address: str) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request(address=address))
    await delivered(office.delivery())
    assert await states(office) == [("accepted", 1)]
    assert f"To: {address}\r\n".encode() in office.relay.raw[0]
    assert office.relay.recipients == [address]


async def test_an_address_beyond_ascii_arrives(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request(address="hôtel@mairie-évry.example"))
    await delivered(office.delivery())
    assert await states(office) == [("accepted", 1)]
    assert "xn--mairie-vry-h7a.example" in str(office.relay.received[0]["To"])
