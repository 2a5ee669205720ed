"""The rules of mails: links, identifiers, answers, delays, lines."""

import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from chassis.signatures import read
from contracts.links import LIFETIMES, PATHS, Purpose, address_hash
from services.notifier.domain.answers import Outcome, judged, kept, lost
from services.notifier.domain.identifiers import mail_id, message_id
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.domain.lines import UNSEEN, NoAddress, mailbox, one_line
from services.notifier.domain.links import mint
from services.notifier.domain.naming import account_facts, without
from services.notifier.domain.retries import Patience

EVENT, TENANT = UUID(int=7), UUID(int=8)
NOON = datetime(2018, 4, 4, 12, 0, 0, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_says_whom_it_is_for_and_counts_from_its_sending(purpose: Purpose) -> None:
    private = Ed25519PrivateKey.generate()
    link = mint(
        ("kid", private),
        purpose,
        EVENT,
        tenant=TENANT,
        origin="https://portail.example",
        address=" Mairie@Town.Example ",
        sent_at=NOON,
    )
    url = urlsplit(link.url)
    assert (url.scheme, url.netloc, url.path) == ("https", "portail.example", PATHS[purpose])
    [token] = parse_qs(url.query)["link"]
    assert read({"kid": private.public_key()}, token) == {
        "p": purpose,
        "i": EVENT.hex,
        "t": str(TENANT),
        "a": address_hash("mairie@town.example"),
        "s": int(NOON.timestamp()),
    }
    assert link.valid_until == NOON.replace(microsecond=0) + LIFETIMES[purpose]


def test_the_same_event_makes_the_same_mail() -> None:
    assert mail_id(EVENT, Template.ACTIVATION) == mail_id(EVENT, Template.ACTIVATION)
    assert mail_id(EVENT, Template.ACTIVATION) != mail_id(EVENT, Template.INVITATION)
    assert message_id(EVENT, "ypok.example") == f"<{EVENT.hex}@ypok.example>"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (250, Outcome.ACCEPTED),
        (421, Outcome.DEFERRED),
        (451, Outcome.DEFERRED),
        (530, Outcome.DEFERRED),
        (550, Outcome.REFUSED),
        (554, Outcome.REFUSED),
    ],
)
def test_the_first_digit_decides(code: int, outcome: Outcome) -> None:
    assert judged(code, "words").outcome is outcome


def test_no_answer_after_the_text_leaves_the_fate_open() -> None:
    assert lost(perhaps_taken=True, words="").outcome is Outcome.UNKNOWN
    assert lost(perhaps_taken=False, words="").outcome is Outcome.DEFERRED


def test_delays_grow_to_a_bound() -> None:
    patience = Patience(first_s=10, longest_s=1800)
    for attempts in (1, 2, 8, 9, 1000):
        middle = min(10 * 2 ** (attempts - 1), 1800)
        delay = patience.mail_delay(attempts)
        assert timedelta(seconds=middle / 2) <= delay <= timedelta(seconds=middle * 1.5)


@given(st.text(), st.integers(min_value=2, max_value=200))
def test_one_line_is_one_line(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert line.splitlines() in ([], [line])
    assert line == line.strip()
    line.encode()  # no lone surrogate


def test_a_line_keeps_its_words() -> None:
    assert one_line("  Évry\r\n-\tCourcouronnes ", 100) == "Évry - Courcouronnes"
    assert one_line("\u202eevil\u2069", 100) == "evil"
    assert one_line("x" * 10, 5) == "xxxx…"


def test_what_is_not_seen_is_a_gap_on_one_line() -> None:
    every = (chr(code) for code in range(sys.maxunicode + 1))
    unseen = {one for one in every if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")}
    assert unseen == set(UNSEEN.findall("".join(map(chr, range(sys.maxunicode + 1)))))


@given(st.text(), st.text(alphabet="<>@,;:\r\n\x00 \"'a.b", max_size=12))
def test_whatever_is_typed_is_one_address_or_none(name: str, typed: str) -> None:
    try:
        address = mailbox(typed, one_line(name, 50))
    except NoAddress:
        return
    assert not set(address.addr_spec) & set("\r\n\x00 <>,")


def test_accounts_that_are_gone_leave_the_facts() -> None:
    facts = account_facts(("one", "other"), (EVENT, TENANT))
    assert without(facts, [EVENT]) == account_facts(("other",), (TENANT,))
    assert account_facts(("one",), ()) == {"accounts": [{"id": None, "username": "one"}]}


@pytest.mark.parametrize("template", Template)
def test_every_mail_has_a_kind(template: Template) -> None:
    assert KINDS[template].shelf_life >= timedelta(days=7)


@pytest.mark.parametrize(
    ("said", "kept_as"),
    [
        ("5.1.1 <mairie@saint-amand.example>: unknown", "5.1.1 …: unknown"),
        ("Mailbox mairie@saint-amand.example, unknown", "Mailbox …, unknown"),
        ("User Mairie unknown", "User … unknown"),
        ("mairies are welcome", "mairies are welcome"),
        ("for <other@elsewhere.example>.", "for …."),
        ("<hôtel@mairie-évry.example> full", "… full"),
        ("spam: http://p.example/activate?link=k.abc.def", "spam: http://p.example/activate…"),
        (f"spam: link={'k' * 90}", "spam: link=…"),
        (
            "queued as 4TQ1fX3b2Zz9 (1732525963.Vfd01I4.mx)",
            "queued as 4TQ1fX3b2Zz9 (1732525963.Vfd01I4.mx)",
        ),
    ],
)
def test_a_relays_words_are_kept_without_addresses_and_links(said: str, kept_as: str) -> None:
    assert kept(said, "mairie@saint-amand.example") == kept_as
