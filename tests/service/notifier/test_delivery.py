"""From the queue to the relay's final answer."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from importlib import resources
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from chassis.app import build_app
from chassis.ids import new_id
from chassis.signatures import BadSignature, read
from contracts.event import Event
from contracts.links import LIFETIMES, PATHS, Purpose, address_hash
from contracts.requests import RequestSaved
from services.notifier.delivery.claim import free_all_leases
from services.notifier.delivery.deliver import Delivery
from services.notifier.service import service
from tests.builders.notifier import (
    MAYOR,
    a_changed_address,
    a_changed_password,
    a_known_address,
    a_password_reset,
    a_profile,
    a_reminder,
    a_saved_request,
    a_tenant,
    an_activation_request,
    an_address_change,
    an_erasure,
    an_invitation,
    now,
    told,
)
from tests.service.notifier.conftest import QUICK, Office
from tests.service.notifier.relay import ScriptedRelay, reply, take_and_hang_up, text_of

PATIENCE_S = 30  # how long what must come may take on a busy machine


async def delivered(delivery: Delivery, *, rounds: int = 200) -> None:
    """Deliver until nothing is due any more, retries included."""
    for _ in range(rounds):
        looked_at = now()
        if await delivery.deliver_due() == 0:
            if await delivery._queue.next_due(looked_at) is None:
                return
            await asyncio.sleep(0.01)
    raise AssertionError("mails are still due")


def link_in(message: EmailMessage, kind: str = "plain") -> str:
    """The token of the mail's link."""
    found = re.search(r"\?link=([\w.~-]+)", text_of(message, kind))
    assert found is not None
    return found[1]


def golden(event: type[Event]) -> str:
    """The event's published example."""
    file = resources.files("contracts") / "examples" / f"{event.type_name()}.json"
    return file.read_text("utf-8")


async def states(office: Office) -> list[tuple[object, ...]]:
    return await office.rows("SELECT state, count(*)::int FROM mails GROUP BY state ORDER BY 1")


async def attempts(office: Office) -> list[tuple[object, ...]]:
    return await office.rows("SELECT outcome, code, words FROM attempts ORDER BY tried_at, id")


# ── What is sent ─────────────────────────────────────────────────────────────────────────────────


async def test_an_activation_reads_as_the_manual_shows_it(office: Office) -> None:
    tenant = await office.tenant()
    event = an_activation_request()
    await office.hear(tenant, event)
    before = now().replace(microsecond=0)
    await delivered(office.delivery())
    [mail] = office.relay.received
    assert (mail["Subject"], mail["To"]) == ("Création du compte usager", MAYOR)
    assert mail["From"] == "YService <sav@ypok.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    claims = read(office.runtime.keys.public_keys("notifier"), link_in(mail))
    sent = datetime.fromtimestamp(claims["s"], UTC)
    assert before <= sent <= now()
    assert (claims["p"], claims["i"]) == (Purpose.ACTIVATION, event.activation_id.hex)
    assert (UUID(claims["t"]), claims["a"]) == (tenant, address_hash(MAYOR))
    until = (sent + LIFETIMES[Purpose.ACTIVATION]).astimezone(ZoneInfo("Europe/Paris"))
    url = f"http://ypok.localhost:8080{PATHS[Purpose.ACTIVATION]}?link={link_in(mail)}"
    for kind in ("plain", "html"):
        words = text_of(mail, kind).replace("\u00a0", " ").replace("&#39;", "'")
        for sentence in (
            "Création du compte usager",
            "Bonjour,",
            "Vous souhaitez créer un compte et nous vous en remercions.",
            "Pour valider votre inscription, veuillez cliquer sur ce lien :",
            "Activer mon compte maintenant",
            f"Ce lien sera valide jusqu'au {until:%d/%m/%Y %H:%M:%S}",
            "Le Service SAV d'YPOK",
            url,
        ):
            assert sentence in words
    html = text_of(mail, "html")
    assert re.search(rf'href="{re.escape(url)}"[^>]*>Activer mon compte maintenant</a>', html)
    assert '<html lang="fr"' in html
    assert "#1f5fa8" in html


async def test_an_address_in_use_is_told_its_usernames_and_offered_more(office: Office) -> None:
    tenant = await office.tenant(origin="https://portail.ypok.example")
    event = a_known_address()
    await office.hear(tenant, event)
    await delivered(office.delivery())
    [mail] = office.relay.received
    claims = read(office.runtime.keys.public_keys("notifier"), link_in(mail))
    assert (claims["p"], claims["i"]) == (Purpose.FURTHER_ACCOUNT, event.submission_id.hex)
    for kind in ("plain", "html"):
        words = text_of(mail, kind)
        assert "saint-amand" in words
        assert "police-saint-amand" in words
        assert f"https://portail.ypok.example{PATHS[Purpose.FURTHER_ACCOUNT]}?link=" in words


async def test_an_invitation_holds_a_link_of_its_own(office: Office) -> None:
    tenant = await office.tenant()
    event = an_invitation()
    await office.hear(tenant, event)
    await delivered(office.delivery())
    [mail] = office.relay.received
    claims = read(office.runtime.keys.public_keys("notifier"), link_in(mail))
    assert (claims["p"], claims["i"]) == (Purpose.INVITATION, event.invitation_id.hex)


async def test_who_lost_an_identifier_is_told_every_one_of_their_address(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, a_reminder())
    await delivered(office.delivery())
    [mail] = office.relay.received
    assert (mail["Subject"], mail["To"]) == ("Votre identifiant sur YService", MAYOR)
    for kind in ("plain", "html"):
        words = text_of(mail, kind)
        assert "Cette adresse a plusieurs comptes." in words
        assert re.search(r"(?<!-)\bsaint-amand", words)
        assert "police-saint-amand" in words
        assert "http://ypok.localhost:8080/sign-in" in words
        assert "?link=" not in words


async def test_a_reset_holds_a_link_for_an_hour_from_its_sending(office: Office) -> None:
    tenant = await office.tenant()
    event = a_password_reset(requested_at=now() - timedelta(days=2))
    await office.hear(tenant, event)
    before = now().replace(microsecond=0)
    await delivered(office.delivery())
    [mail] = office.relay.received
    claims = read(office.runtime.keys.public_keys("notifier"), link_in(mail))
    assert (claims["p"], claims["i"]) == (Purpose.RESET, event.reset_id.hex)
    assert claims["a"] == address_hash(MAYOR)
    sent = datetime.fromtimestamp(claims["s"], UTC)
    assert before <= sent <= now()
    until = (sent + timedelta(hours=1)).astimezone(ZoneInfo("Europe/Paris"))
    for kind in ("plain", "html"):
        assert f"{until:%d/%m/%Y %H:%M:%S}" in text_of(mail, kind)
        assert "saint-amand" in text_of(mail, kind)


async def test_a_new_address_is_asked_and_the_old_one_told(office: Office) -> None:
    tenant = await office.tenant()
    person, account = new_id(), new_id()
    asked = an_address_change(account_id=account)
    changed = a_changed_address(person_id=person, account_id=account)
    profile = a_profile(person_id=person, account_id=account, address=changed.new_address)
    await office.hear(tenant, asked, changed, profile)
    await delivered(office.delivery())
    mails = {str(mail["To"]): mail for mail in office.relay.received}
    assert set(mails) == {asked.address, MAYOR}
    claims = read(office.runtime.keys.public_keys("notifier"), link_in(mails[asked.address]))
    assert (claims["p"], claims["i"]) == (Purpose.EMAIL_CHANGE, asked.change_id.hex)
    assert claims["a"] == address_hash(asked.address)
    for kind in ("plain", "html"):
        words = text_of(mails[MAYOR], kind)
        assert changed.new_address not in words
        assert "?link=" not in words
        assert "04.72.26.06.86" in words


async def test_a_changed_password_is_told_with_the_way_out(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, a_changed_password())
    await delivered(office.delivery())
    [mail] = office.relay.received
    assert (mail["Subject"], mail["To"]) == ("Votre mot de passe a été modifié", MAYOR)
    for kind in ("plain", "html"):
        assert "http://ypok.localhost:8080/recovery" in text_of(mail, kind)
        assert "04.72.26.06.86" in text_of(mail, kind)
        assert "?link=" not in text_of(mail, kind)


async def test_a_recorded_request_is_confirmed_at_the_newest_address(office: Office) -> None:
    tenant = await office.tenant()
    person, account = new_id(), new_id()
    request = a_saved_request(person_id=person, account_id=account)
    await office.hear(tenant, request)
    assert await states(office) == []  # not before the person is known
    old = a_profile(person_id=person, account_id=account, address="old@saint-amand.example")
    new = a_profile(person_id=person, account_id=account)
    await office.hear(tenant, told(tenant, old), told(tenant, new, version=2))
    await delivered(office.delivery())
    [mail] = office.relay.received
    assert mail["To"] == MAYOR
    assert mail["Subject"] == "La demande 2026-000123 a été enregistrée"
    assert "Anomalie - logiciel YPolice" in text_of(mail)
    assert "link=" not in text_of(mail)


async def test_an_account_creation_gets_no_mail_of_its_own(office: Office) -> None:
    tenant = await office.tenant()
    person, account = new_id(), new_id()
    creation = {"submission_id": new_id()}
    await office.hear(
        tenant,
        a_profile(person_id=person, account_id=account),
        a_saved_request(**creation, person_id=None, account_id=None),
        a_saved_request(**creation, person_id=person, account_id=account),
    )
    assert await states(office) == []


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


# ── What the relay answers ───────────────────────────────────────────────────────────────────────


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


async def test_a_slow_relay_is_given_up_before_the_lease_ends(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    free = asyncio.Event()

    async def slow(_relay: ScriptedRelay, _server: SMTP) -> None:
        await free.wait()

    office.relay.script = [slow]
    delivery = office.delivery(relay_timeout_s=0.2)
    started = asyncio.get_running_loop().time()
    await delivery.deliver_due()
    took_s = asyncio.get_running_loop().time() - started
    free.set()
    assert await attempts(office) == [("unknown", None, "SMTPReadTimeoutError")]
    assert took_s < delivery._relay.longest_send_s < delivery._queue._lease.total_seconds()
    await delivered(delivery)
    assert len({mail["Message-ID"] for mail in office.relay.received}) == 1


async def test_one_connection_is_kept_for_many_mails_and_renewed_when_lost(office: Office) -> None:
    tenant = await office.tenant()
    delivery = office.delivery()
    for _ in range(3):
        await office.hear(tenant, an_activation_request())
    await delivered(delivery)
    assert office.relay.connections == 1
    client = delivery._relay._client
    assert client is not None
    assert client.transport is not None
    client.transport.abort()  # type: ignore[attr-defined]  # a TCP transport has it
    await office.hear(tenant, an_activation_request())
    await delivered(delivery)
    assert office.relay.connections == 2
    assert [row[0] for row in await attempts(office)] == ["accepted"] * 4


# ── When nothing may be sent ─────────────────────────────────────────────────────────────────────


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
    await delivery._round()
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


# ── Links at rest ────────────────────────────────────────────────────────────────────────────────


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


# ── Several deliverers, and ends ─────────────────────────────────────────────────────────────────


async def test_two_deliverers_send_two_hundred_mails_once_each(office: Office) -> None:
    tenants = [await office.tenant() for _ in range(4)]
    for tenant in tenants:
        told_of = [told(tenant, an_activation_request()) for _ in range(50)]
        await office.runtime.inbox.store(told_of)
    await office.runtime.workers[0].drain()
    one, other = office.delivery(), office.delivery()
    await asyncio.gather(delivered(one), delivered(other))
    assert await states(office) == [("accepted", 200)]
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


async def test_a_lease_keeps_others_off_until_it_ends(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    lost, heir = office.delivery(), office.delivery()
    [key] = await lost._queue.claim(now(), most=5, each=5)
    assert await heir._queue.claim(now(), most=5, each=5) == []
    await office.rows("UPDATE mails SET lease_until = now() - interval '1 second'")
    assert await heir._queue.claim(now(), most=5, each=5) == [key]
    assert await lost._queue.take(key, "<late>", now()) is None
    assert await heir._queue.take(key, "<heir>", now()) is not None


async def test_who_knows_that_nobody_delivers_frees_the_leases(office: Office) -> None:
    tenant = await office.tenant()
    await office.hear(tenant, an_activation_request())
    assert len(await office.delivery()._queue.claim(now(), most=5, each=5)) == 1
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


# ── Running ──────────────────────────────────────────────────────────────────────────────────────


class Run:
    """A deliverer at work."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.stopping = asyncio.Event()

    async def __aenter__(self) -> "Run":
        self.task = asyncio.create_task(self.delivery.run(self.stopping))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stopping.set()
        async with asyncio.timeout(PATIENCE_S):
            await self.task


async def arrived(relay: ScriptedRelay, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await relay.has_received(count)


async def test_the_service_delivers_while_it_runs(office: Office) -> None:
    app = build_app(office.runtime)
    office.runtime.start()
    try:
        tenant = new_id()
        envelopes = [told(tenant, an_activation_request()), told(tenant, a_tenant(tenant))]
        await office.runtime.inbox.store(envelopes)
        await arrived(office.relay, 1)
    finally:
        await office.runtime.stop()
    assert app.state.runtime is office.runtime
    assert await states(office) == [("accepted", 1)]


async def test_a_handlers_commit_wakes_delivery(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Delivery, "POLL_S", 60.0)
    tenant = await office.tenant()
    delivery = office.delivery()
    office.runtime.after_handled.append(delivery.wake)
    async with Run(delivery):
        await asyncio.sleep(0.2)  # it has found nothing, and rests
        await office.hear(tenant, an_activation_request())
        await arrived(office.relay, 1)


async def test_while_the_relay_is_away_nothing_is_lost_and_little_is_done(office: Office) -> None:
    tenant = await office.tenant()
    await office.relay.stop()
    delivery = office.delivery()
    calls = 0
    connect = delivery._relay.connect

    async def counted(**given: float) -> None:
        nonlocal calls
        calls += 1
        await connect(**given)

    delivery._relay.connect = counted  # type: ignore[method-assign]
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
