"""All checks in their order: what needs no database first, then the databases, then within them."""

import asyncio
import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

from chassis.keys import Keys
from chassis.settings import Settings
from chassis.work import Database
from guichet.beside import server_of
from guichet.doctor import (
    another,
    assets,
    broker,
    clocks,
    data_folder,
    databases,
    dead_events,
    disk,
    keys,
    ports,
    relay,
    waiting,
)
from guichet.doctor.finding import Finding, Look, LookWithin, Place, Within
from guichet.parts import SERVICES
from guichet.passwords import database_of
from guichet.postgres import CannotStart, is_running
from guichet.up import data_dir_of

OUTSIDE: Sequence[Look] = (
    data_folder.look,
    disk.look,
    keys.look,
    assets.look,
    ports.look,
    another.look,
    broker.look,
    relay.look,
)
INSIDE: Sequence[LookWithin] = (clocks.look, dead_events.look, waiting.look)


def examine(settings: Settings) -> list[Finding]:
    """Everything that is wrong, in the order in which it is best mended."""
    place = place_of(settings)
    found = asyncio.run(_outside(place))
    blocked = any(one.check in (data_folder.CHECK, "disk") for one in found)
    if not place.made or (blocked and not place.apart):
        return found
    if not os.path.exists(place.keys_folder / "postgres.secret"):  # noqa: PTH110  # nor, where it can't be seen
        return found  # asking would make another
    try:
        with _urls(place) as urls:
            return found + asyncio.run(_inside(place, urls))
    except CannotStart as refusal:
        cause, _, remedy = str(refusal).rpartition(": ")
        return [*found, Finding(databases.CHECK, f"{cause}.", f"{remedy[:1].upper()}{remedy[1:]}")]


def place_of(settings: Settings) -> Place:
    """The installation that these settings describe."""
    data_dir = data_dir_of(settings)
    with contextlib.suppress(CannotStart):  # the data folder's check tells
        return Place(settings, data_dir, runs=is_running(data_dir))
    return Place(settings, data_dir, runs=False)


async def _outside(place: Place) -> list[Finding]:
    found = [await look(place) for look in OUTSIDE]
    return [one for several in found for one in several]


@contextlib.contextmanager
def _urls(place: Place) -> Iterator[Mapping[str, str]]:
    """By service its server; the installation's own is started where nothing runs."""
    if place.apart:
        named = {name: place.settings.postgres_url_of(name) for name in SERVICES}
        yield {name: url for name, url in named.items() if url is not None}
        return
    with server_of(place.settings) as address:
        yield dict.fromkeys(SERVICES, address.admin_url())


async def _inside(place: Place, urls: Mapping[str, str]) -> list[Finding]:
    secrets = Keys(place.keys_folder)
    all_of_them = {name: database_of(secrets, url, name) for name, url in urls.items()}
    found: list[Finding] = []
    well: dict[str, Database] = {}
    try:
        for name, database in all_of_them.items():
            wrong = await databases.look_at(place, database)
            found += wrong
            if not wrong:
                well[name] = database
        for look in INSIDE:
            found += await look(Within(place, well))
    finally:
        await asyncio.gather(*(one.close() for one in all_of_them.values()))
    return found
