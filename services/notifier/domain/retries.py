"""When a mail that was not accepted is tried again, and how long an absent relay is left alone."""

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Patience:
    """Delays that double from the first to the longest, each with jitter."""

    first_s: float = 10.0
    longest_s: float = 1800.0
    away_first_s: float = 0.5
    away_longest_s: float = 30.0

    def mail_delay(self, attempts: int) -> timedelta:
        """How long a mail rests after so many tries."""
        return timedelta(seconds=_jittered(self.first_s, self.longest_s, attempts))

    def away_delay_s(self, failures: int) -> float:
        """How long, in seconds, after so many vain calls on the relay in a row."""
        return _jittered(self.away_first_s, self.away_longest_s, failures)


def _jittered(first_s: float, longest_s: float, times: int) -> float:
    """Between half and one and a half of what the doubling gives."""
    doubled = first_s * 2.0 ** min(times - 1, 30)
    return min(doubled, longest_s) * random.uniform(0.5, 1.5)
