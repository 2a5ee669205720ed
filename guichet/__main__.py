"""`python -m guichet`, and what the command `guichet` runs."""

import os
import signal
from types import FrameType


def main() -> None:
    """Load the command line and run it. Until it is loaded, a signal ends us without a word."""
    before = {number: signal.signal(number, _end) for number in (signal.SIGINT, signal.SIGTERM)}
    # Here, and not above: it takes a second, in which somebody may think better of it.
    from guichet.cli import app

    for number, handler in before.items():
        signal.signal(number, handler)
    app()


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
