"""Relays that misbehave: for each row of the table in docs/delivery.md, its outcome."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from chassis.settings import RelayAt, Tls
from services.notifier.delivery.send import SmtpLine
from tests.builders.notifier import an_activation_request
from tests.service.notifier.conftest import Office
from tests.service.notifier.documented import rows_under
from tests.service.notifier.driving import Run, arrived
from tests.support.scripted_smtp import (
    Manner,
    Talk,
    answering,
    breaking_tls,
    closing_at_once,
    cutting,
    greeting_with_garbage,
    never_greeting,
    not_now,
    scripted_smtp,
    stalling,
    too_busy,
    wanting_the_text_anyway,
)
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Row:
    """What a relay does once, and what that leads to before all goes well."""

    manner: Manner
    attempt: tuple[str, int | None] | None
    """The outcome and code that the try is kept with; None: it is the relay's trouble alone."""
    texts: int = 1
    """How many texts came to their end, the last included: two is a copy."""
    tls: Tls = "none"
    stays: bool = False
    """The relay never comes to its senses here: the mail waits."""


ROWS = {
    "refuses the connection's greeting with 421": Row(not_now, None),
    "refuses it with 452": Row(too_busy, None),
    "closes at connect": Row(closing_at_once, None),
    "never greets": Row(never_greeting, None),
    "greets with garbage": Row(greeting_with_garbage, None),
    "offers broken TLS": Row(breaking_tls, None, texts=0, tls="starttls", stays=True),
    "offers no STARTTLS": Row(Talk.serve, None, texts=0, tls="starttls", stays=True),
    "greylists the recipient (450)": Row(answering("RCPT", "450 4.7.1 later"), ("deferred", 450)),
    "defers the text (451)": Row(answering(".", "451 4.3.0 later"), ("deferred", 451), texts=2),
    "refuses the recipient (550)": Row(
        answering("RCPT", "550 5.1.1 unknown"), ("refused", 550), texts=0
    ),
    "refuses the recipient and asks for the text": Row(
        wanting_the_text_anyway, ("refused", 550), texts=0
    ),
    "refuses the text (554)": Row(answering(".", "554 5.7.1 spam"), ("refused", 554)),
    "wants a sign-in (530)": Row(answering("MAIL", "530 5.7.0 sign in"), ("deferred", 530)),
    "answers 421 in mid-session": Row(answering("RCPT", "421 4.3.2 bye"), ("deferred", 421)),
    "tarpits a command beyond its time": Row(stalling("RCPT"), ("deferred", None)),
    "resets at a command": Row(cutting("RCPT"), ("deferred", None)),
    "answers a command with garbage": Row(answering("RCPT", "what?"), ("deferred", None)),
    "answers the final dot with garbage": Row(answering(".", "what?"), ("unknown", None), texts=2),
    "drops after the final dot": Row(cutting("."), ("unknown", None), texts=2),
    "never answers the final dot": Row(stalling("."), ("unknown", None), texts=2),
}


def test_the_documents_table_has_these_rows() -> None:
    assert rows_under("Delivery: what a relay may do, and what that leads to") == sorted(ROWS)


@pytest.mark.parametrize("offers", [(), ("PIPELINING",)], ids=["by command", "pipelined"])
@pytest.mark.parametrize("name", ROWS)
async def test_a_bad_relay_leads_to_its_outcome_and_holds_nobody_up(
    office: Office, name: str, offers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROWS[name]
    monkeypatch.setattr(SmtpLine, "GOODBYE_S", 0.2)
    bad = await office.tenant(slug="bad", host="bad.localhost")
    good = await office.tenant(slug="good", host="good.localhost")
    async with scripted_smtp([row.manner], *offers) as smtp:
        at = RelayAt(host="127.0.0.1", port=smtp.port, timeout_s=0.3, connections=1, tls=row.tls)
        await office.hear(bad, an_activation_request())
        async with Run(office.delivery(relays={"bad": at})) as run:
            await told_apart(office, bad, row)
            await office.hear(good, an_activation_request())
            run.delivery.wake()
            await arrived(office.relay, 1)
            if not row.stays:
                await ended(office, bad)
    found = await office.of(bad, "SELECT outcome, code FROM attempts ORDER BY tried_at, id")
    first = [] if row.attempt is None else [row.attempt]
    refused = row.attempt is not None and row.attempt[0] == "refused"
    assert found == first + ([] if refused or row.stays else [("accepted", 250)])
    assert len(smtp.ended) == row.texts
    assert len(set(smtp.message_ids())) == min(row.texts, 1)


async def told_apart(office: Office, tenant: UUID, row: Row) -> None:
    """Wait until the relay's first misdeed is over."""
    [delivery] = office.deliveries

    async def over() -> bool:
        tried = await office.of(tenant, "SELECT 1 FROM attempts")
        return bool(tried) or (row.attempt is None and delivery.trouble() is not None)

    assert await eventually(over)


async def ended(office: Office, tenant: UUID) -> None:
    """Wait until the tenant's mail has come to its end."""

    async def none_queued() -> bool:
        return await office.of(tenant, "SELECT 1 FROM mails WHERE state = 'queued'") == []

    assert await eventually(none_queued)
