"""Do this machine and its databases agree on the time?"""

import time
from collections.abc import Sequence

from sqlalchemy import text

from chassis import clock
from guichet.doctor.finding import Finding, Within

MOST_S = 5.0
"""Leases and due times bear this; links bear two minutes, sessions and tokens one."""


async def look(within: Within) -> Sequence[Finding]:
    """By how much a clock is off, beyond what the question took."""
    findings = []
    for service, database in within.databases.items():
        async with database.mover.connect() as connection:
            await connection.execute(text("SELECT 1"))  # connected: what follows is one round trip
            asked = time.monotonic()
            theirs = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
            took_s = time.monotonic() - asked
        off_s = (clock.now() - theirs).total_seconds()
        if abs(off_s) - took_s > MOST_S:
            findings.append(
                Finding(
                    "clock",
                    f"This machine's clock is {abs(off_s):.0f} s"
                    f" {'ahead of' if off_s > 0 else 'behind'} that of {service}'s database.",
                    "Have both keep time by NTP (`timedatectl` shows whether they do).",
                )
            )
    return findings
