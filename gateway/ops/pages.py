"""Operators' pages: what needs a hand first, then every part, its queues, and what was done.

Routes, as the gateway has no app: `answer` tells them apart. Whoever comes here is an operator.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from chassis import clock
from chassis.web.pages import see_other_path
from gateway.ops.asking import Asking, Key
from gateway.pages import pages
from gateway.upstream import PartAway

PATH = "/ops"
ACTS_SHOWN = 20
ONE = re.compile(
    r"/ops/dead/(?P<part>[a-z]+)/(?P<tenant>[0-9a-f-]{36})/(?P<event>[0-9a-f-]{36})"
    r"/(?P<handler>[\w.:-]{1,200})/(?P<act>replay|discard)",
    re.ASCII,
)
DONE = {"replay": "replayed", "discard": "discarded"}


def is_here(path: str) -> bool:
    """Is this an address of operators?"""
    return path == PATH or path.startswith(f"{PATH}/")


@dataclass(frozen=True)
class Asked:
    """Who is asked: parts that report all that waits, and such as only say how they are."""

    parts: Sequence[str]
    pageless: Sequence[str] = ()


async def answer(
    http: Request, asking: Asking, asked: Asked, tenant_name: Callable[[UUID], str]
) -> Response | None:
    """The answer to an operator; None where there is no page."""
    path, reads = http.url.path, http.method in {"GET", "HEAD"}
    if path == PATH and reads:
        return await _overview(http, asking, asked, tenant_name)
    found = ONE.fullmatch(path)
    key = _key(found, asked.parts) if found else None
    if found is None or key is None:
        return None
    act = found["act"]
    if not reads:
        # A form that is only to be shown again bears a query: here it does nothing.
        return None if http.url.query else await _act(asking, key, act)
    return await _sure(http, asking, key, tenant_name) if act == "discard" else None


async def _overview(
    http: Request, asking: Asking, asked: Asked, tenant_name: Callable[[UUID], str]
) -> Response:
    reports, healths = await asyncio.gather(
        asking.reports(asked.parts), asking.healths(asked.pageless)
    )
    told = {part: report for part, report in reports.items() if report is not None}
    dead = [
        (Key(part, one.tenant, one.id, one.handler), one)
        for part, report in told.items()
        for one in report.dead_events
    ]
    acts = [(part, act) for part, report in told.items() for act in report.acts]
    return pages.render(
        http,
        "ops/overview.html",
        headers={"Cache-Control": "no-store"},
        reports=reports,
        healths={**reports, **healths},
        away=[part for part, report in reports.items() if report is None],
        dead=sorted(dead, key=lambda one: one[1].stored_at),
        dead_count=sum(report.dead for report in told.values()),
        acts=sorted(acts, key=lambda one: one[1].done_at, reverse=True)[:ACTS_SHOWN],
        looked_at=min((report.looked_at for report in told.values()), default=clock.now()),
        tenant_name=tenant_name,
        done=parse_qs(http.url.query).get("done", [""])[0],
    )


async def _sure(
    http: Request, asking: Asking, key: Key, tenant_name: Callable[[UUID], str]
) -> Response | None:
    """Asks whether to discard, which can't be undone."""
    try:
        dead = await asking.dead_event(key)
    except PartAway:
        return see_other_path(PATH)  # which says that the part is away
    if dead is None:
        return see_other_path(f"{PATH}?done=gone")
    return pages.render(
        http,
        "ops/discard.html",
        headers={"Cache-Control": "no-store"},
        key=key,
        dead=dead,
        tenant_name=tenant_name,
    )


async def _act(asking: Asking, key: Key, act: str) -> Response:
    try:
        done = DONE[act] if await asking.act(key, act) else "gone"
    except PartAway:
        done = "unknown"
    return see_other_path(f"{PATH}?done={done}")


def _key(found: re.Match[str], parts: Sequence[str]) -> Key | None:
    try:
        key = Key(found["part"], UUID(found["tenant"]), UUID(found["event"]), found["handler"])
    except ValueError:  # no ids, for all that they look it
        return None
    return key if key.part in parts else None
