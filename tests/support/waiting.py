"""Waiting for what comes about by itself, with a bound."""

import time
from collections.abc import Callable


def until(holds: Callable[[], object], within_s: float = 10) -> bool:
    """Look again and again until it holds; False if it never did within the time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
