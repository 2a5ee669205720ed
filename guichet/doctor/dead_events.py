"""Are there events that a handler gave up on?"""

from collections.abc import Sequence

from chassis.inbox.dead import dead_rows
from guichet.doctor.finding import Finding, Within

MOST = 1000


async def look(within: Within) -> Sequence[Finding]:
    """By service, how many, and the cause of the first."""
    findings = []
    for service, database in within.databases.items():
        dead = await dead_rows(database.mover, most=MOST)
        if dead:
            first = dead[0]
            findings.append(
                Finding(
                    "dead events",
                    f"{len(dead)}{'+' if len(dead) == MOST else ''} of {service}'s events are dead;"
                    f" the first for {first.handler}: {first.error}.",
                    f"List them (`guichet events dead --service {service}`), mend the cause, then"
                    " `guichet events replay` or `discard` each.",
                )
            )
    return findings
