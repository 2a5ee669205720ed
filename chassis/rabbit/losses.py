"""A cancellation that aiormq lets out of a task of its own is a lost connection, and told as one.

aiormq ends what is under way on a connection by cancelling it, and hands that cancellation to
whoever waits. Nobody had cancelled them: taken for what it looks like, it would end a consumer or a
publisher for good, as `except Exception` does not see it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Lost(Exception):
    """The connection is over, and what was under way on it has an unknown end."""


@contextmanager
def told_as_losses() -> Iterator[None]:
    """Raise Lost for a cancellation that is not the current task's own."""
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Lost from None
