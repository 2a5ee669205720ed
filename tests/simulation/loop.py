"""An event loop without a clock and without I/O: when nothing is ready, time jumps to what is next.

`asyncio.timeout`, `sleep` and events are Python's own. The loop asks its selector to wait for as
long as nothing is due; this one answers at once, and that much time has passed.
"""

import asyncio
from typing import Any


class Stuck(Exception):
    """Nothing is ready and nothing will ever be due."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs what is ready in the order in which it became so; time passes only between."""

    def __init__(self) -> None:
        super().__init__()
        self._elapsed_s = 0.0
        self._selector = self

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._elapsed_s

    def select(self, timeout: float | None) -> list[Any]:
        """Wait, as the base class asks of its selector: for nothing but time."""
        if timeout is None:
            raise Stuck
        self._elapsed_s += timeout
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""
