"""The parcels service, for what is done to what carries its events; and an installation by itself.

That one is made once, then started again and again on the same data.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.settings import Settings
from tests.support.examined import an_installation
from tests.support.parcels.fixtures import keys, parcels, parcels_database
from tests.support.post_office import PostOffice
from tests.support.process import HOST, Guichet, a_guichet
from tests.support.waiting import until

__all__ = ["keys", "parcels", "parcels_database"]


@pytest.fixture(scope="session")
def post_office() -> Iterator[PostOffice]:
    """Where its mails go."""
    office = PostOffice()
    yield office
    office.close()


@pytest.fixture(scope="session")
def made(post_office: PostOffice) -> Iterator[Guichet]:
    """An installation that has been started once, and stopped."""
    with a_guichet(
        relay_host=HOST, relay_port=post_office.port, guarded_posts_a_minute=0
    ) as guichet:
        guichet.run()
        assert guichet.stop() == 0, guichet.tail()
        yield guichet


@pytest.fixture
def guichet(made: Guichet) -> Iterator[Guichet]:
    """The same, at rest before and after."""
    yield made
    if not made.has_ended():
        made.kill()
    assert until(lambda: not made.servers()), "PostgreSQL was left behind"


@pytest.fixture
def fresh(tmp_path: Path) -> Settings:
    """An installation that is yet to be made, for a doctor to look at."""
    return an_installation(tmp_path)
