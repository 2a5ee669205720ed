"""Do outboxes, inboxes and mails drain? Where nothing runs, what waits is no fault."""

from collections.abc import Iterator, Sequence

from chassis.depths import Depth, Depths, Waiting
from guichet.doctor.finding import Finding, Within
from services.notifier.delivery.counting import mails_waiting

OUTBOX_S, INBOX_S, MAIL_S = 60.0, 60.0, 300.0
"""For how long the first may be overdue: publishers and workers look each second or two, and a
relay that is away is called again within minutes."""


async def look(within: Within) -> Sequence[Finding]:
    """By service and queue, how many wait and since when."""
    if not (within.place.runs or within.place.apart):
        return []
    findings: list[Finding] = []
    for service, database in within.databases.items():
        depth = Depth(database)
        if service == "notifier":
            depth.queues["mail"] = mails_waiting
        findings += _found(service, await depth.look())
    return findings


def _found(service: str, depths: Depths) -> Iterator[Finding]:
    def late(waiting: Waiting, most_s: float) -> str:
        """How many wait for how long, where that is too long."""
        age_s = waiting.age_s(depths.looked_at)
        return f"{waiting.size} wait, the first for {age_s:.0f} s" if age_s > most_s else ""

    if told := late(depths.outbox, OUTBOX_S):
        yield Finding(
            "outbox",
            f"{service}'s outbox does not drain: {told}.",
            f"See that {service} runs and that it reaches the broker: its log says"
            " publisher_paused, and why.",
        )
    if told := late(depths.inbox, INBOX_S):
        yield Finding(
            "inbox",
            f"{service}'s inbox does not drain: {told}.",
            f"See that {service} runs: its log says inbox_paused, and why. If it is only slow, run"
            " more of it.",
        )
    if "mail" in depths.queues and (told := late(depths.queues["mail"], MAIL_S)):
        yield Finding(
            "mail",
            f"Mails are not sent: {told}.",
            "See that delivery runs and that the relay answers: the log says relay_away or"
            " mail_deferred, and why.",
        )
