"""Names of databases and roles beside those of the whole installation.

That one may be running in this very process: on the same tables its publishers and workers would
take what a test means to carry by hand, and one's keys would lock the other out.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.database import roles

OWN = roles.PREFIX
"""What this process's names begin with, whatever stands there for a while."""


@contextmanager
def names_apart(suffix: str) -> Iterator[None]:
    """Names of databases and roles made in here are beside those of others in this process.

    They are the same wherever this is called, within another's names too: a fixture may keep its
    own for a session, in the middle of which others come and go.
    """
    before = roles.PREFIX
    roles.PREFIX = f"{OWN}_{suffix}"
    try:
        yield
    finally:
        roles.PREFIX = before
