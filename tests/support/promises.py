"""What holds of an installation whatever befell it: nothing lost, nothing doubled, nothing dead.

The databases are read as a superuser, after everything has been handled, and held against what the
portal confirmed to towns and what their mailboxes got.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from chassis.settings import Settings
from tests.support.post_office import Arrival, PostOffice
from tests.support.towns import Town

SERVICES = ("identity", "catalog", "requests", "notifier")

WAITING = """
    SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL) + (
        SELECT count(*) FROM inbox WHERE state <> 'dead' AND envelope->>'type' NOT LIKE 'timer.%')
"""

# The same facts as their owner has them and as they are projected elsewhere, by service.
PROJECTIONS: dict[str, dict[str, str]] = {
    "people": {
        "identity": """
            SELECT person.id, account.id, person.organisation_id, person.title, person.birth_name,
                person.first_name, person.address, person.language
            FROM people AS person JOIN accounts AS account ON account.person_id = person.id
            WHERE account.state = 'active' ORDER BY person.id
        """,
        "requests": """
            SELECT id, account_id, organisation_id, title, birth_name, first_name, address, language
            FROM requesters ORDER BY id
        """,
    },
    "addresses": {
        "identity": """
            SELECT person.id, account.id, person.address, person.language
            FROM people AS person JOIN accounts AS account ON account.person_id = person.id
            WHERE account.state = 'active' ORDER BY person.id
        """,
        "notifier": "SELECT id, account_id, address, language FROM requesters ORDER BY id",
    },
    "organisations": {
        "identity": """
            SELECT DISTINCT organisation.id, organisation.name, organisation.city,
                organisation.postcode
            FROM organisations AS organisation
            JOIN accounts AS account ON account.organisation_id = organisation.id
            WHERE account.state = 'active' ORDER BY organisation.id
        """,
        "requests": "SELECT id, name, city, postcode FROM organisations ORDER BY id",
    },
    "procedures": {
        "catalog": """
            SELECT id, slug, title, minutes, form_version FROM procedures
            WHERE retired_at IS NULL ORDER BY id
        """,
        "requests": "SELECT id, slug, title, minutes, form_version FROM procedures ORDER BY id",
    },
    "tenants": dict.fromkeys(
        SERVICES, "SELECT tenant_id, state, facts FROM tenant_projections ORDER BY tenant_id"
    ),
    "activated": {
        "identity": """
            SELECT id, account_id FROM registrations WHERE state = 'activated' ORDER BY id
        """,
        "requests": """
            SELECT submission_id, account_id FROM requests
            WHERE submission_id IS NOT NULL AND account_id IS NOT NULL ORDER BY submission_id
        """,
    },
    "acceptances": {
        "identity": """
            SELECT account_id, terms_number, accepted_at FROM acceptances
            ORDER BY account_id, terms_number
        """,
        "requests": """
            SELECT account_id, terms_version, accepted_at FROM acceptances
            ORDER BY account_id, terms_version
        """,
    },
}


class Installed(Protocol):
    """An installation, whichever way it runs, as its promises are held against it."""

    async def database(self, service: str) -> asyncpg.Connection:
        """A superuser's connection to a service's database."""

    def tail(self) -> str:
        """What its processes said last, for a failure's message."""


@dataclass(frozen=True)
class Copy:
    """A mail that came again, and the arrival before it."""

    first: Arrival
    again: Arrival


async def rows(guichet: Installed, service: str, sql: str) -> list[tuple[Any, ...]]:
    """What a statement gives in a service's database."""
    connection = await guichet.database(service)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def settled(guichet: Installed, within_s: float = 90) -> None:
    """Wait until every event has been handled and every mail has been sent."""
    until = time.monotonic() + within_s
    while True:
        left = {name: (await rows(guichet, name, WAITING))[0][0] for name in SERVICES}
        queued = "SELECT count(*) FROM mails WHERE state = 'queued'"
        left["mails"] = (await rows(guichet, "notifier", queued))[0][0]
        if not any(left.values()):
            return
        assert time.monotonic() < until, f"still under way: {left}\n{guichet.tail()}"
        await asyncio.sleep(0.1)


async def assert_nothing_dead(guichet: Installed) -> None:
    """No event of any service was given up."""
    for name in SERVICES:
        sql = "SELECT handler, attempts, kills, error FROM inbox WHERE state = 'dead'"
        assert await rows(guichet, name, sql) == [], name


async def assert_projections_equal(guichet: Installed) -> None:
    """What services keep of each other is what its owner says."""
    for what, by_service in PROJECTIONS.items():
        seen = {name: await rows(guichet, name, sql) for name, sql in by_service.items()}
        owner, *others = seen
        assert seen[owner], f"no {what} at all"
        for other in others:
            assert seen[other] == seen[owner], f"{what} differ between {owner} and {other}"


async def assert_confirmed_exists_once(guichet: Installed, towns: Sequence[Town]) -> None:
    """Each request whose banner was seen is there once, under the number that was shown.

    Every town went on until it was told, so there is nothing else either, and no number is lost.
    """
    found = await rows(
        guichet, "requests", "SELECT number, sections::text, submission_id FROM requests"
    )
    filed = [(number, text) for number, text, submission in found if submission is None]
    created = [text for _, text, submission in found if submission is not None]
    for town in towns:
        for mark, number in town.numbers.items():
            assert [one for one, text in filed if mark in text] == [number], mark
        here = sum(f'"{town.address}"' in text for text in created)
        assert here == int(town.registered), town.name
    assert len(filed) == sum(len(town.numbers) for town in towns)
    assert len(created) == sum(town.registered for town in towns)
    counted = sorted(int(number.partition("-")[2]) for number, _, _ in found)
    assert counted == list(range(1, len(found) + 1)), "a number was lost or given twice"


async def assert_mails_came(
    guichet: Installed, towns: Sequence[Town], post_office: PostOffice
) -> None:
    """Each mail that was due arrived; copies have its Message-ID, so that it counts once here."""
    for town in towns:
        subjects = Counter(str(one["Subject"]) for one in post_office.mails_to(town.address))
        wanted = Counter(
            f"La demande {number} a été enregistrée" for number in town.numbers.values()
        )
        wanted["Création du compte usager"] = int(town.registered)
        assert subjects == +wanted, town.name
    kept = await rows(guichet, "notifier", "SELECT message_id, state FROM mails")
    assert {state for _, state in kept} <= {"accepted"}
    assert sorted(one for one, _ in kept) == sorted(
        {one.message_id for one in post_office.arrivals}
    )


def copies(arrivals: Sequence[Arrival]) -> list[Copy]:
    """The mails that came again, each with the arrival before."""
    last: dict[str, Arrival] = {}
    found = []
    for one in arrivals:
        if one.message_id in last:
            found.append(Copy(last[one.message_id], one))
        last[one.message_id] = one
    return found


AT_ONCE = Settings().relay_connections
"""So many mails may be between their final dot and their mark in one process."""


def assert_copies_allowed(arrivals: Sequence[Arrival], deaths: Sequence[float]) -> list[Copy]:
    """A copy came only where the sender died between our final dot and its commit (DESIGN §8).

    That is: it died between the two arrivals. Each of its connections sends nothing before the
    mark of its last mail, so at most one copy comes of each; and a mark waits for one other at
    most, so what else came since the first arrival is little.
    """
    found = copies(arrivals)
    of_death: Counter[float] = Counter()
    for one in found:
        death = next((at for at in deaths if at > one.first.at), None)
        assert death is not None, "a copy without a death"
        assert death < one.again.at, "a copy without a death in between"
        since = [other for other in arrivals if one.first.at < other.at < death]
        assert len(since) <= 2 * AT_ONCE, f"{len(since)} mails were sent before the death"
        assert one.again.recipient == one.first.recipient
        of_death[death] += 1
    assert max(of_death.values(), default=0) <= AT_ONCE
    return found


def show(**figures: object) -> None:
    """The figures of a run, which `pytest -s` shows."""
    sys.stdout.write("\n" + "".join(f"  {name}: {value}\n" for name, value in figures.items()))
