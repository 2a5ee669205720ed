"""What each mail says, to whom."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.ids import new_id
from chassis.signatures import read
from contracts.links import LIFETIMES, PATHS, Purpose, address_hash
from tests.builders.notifier import (
    MAYOR,
    a_changed_address,
    a_changed_password,
    a_known_address,
    a_password_reset,
    a_profile,
    a_reminder,
    a_saved_request,
    an_activation_request,
    an_address_change,
    an_invitation,
    now,
    told,
)
from tests.service.notifier.conftest import Office
from tests.service.notifier.driving import (
    delivered,
    link_in,
    states,
)
from tests.service.notifier.relay import text_of


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
