"""Operators of an installation, and events that are dead for them to find."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from chassis.inbox.dead import DeadRow, dead_rows
from chassis.principals import OPERATOR
from chassis.subscriptions import Subscription
from chassis.tenants import PLATFORM
from chassis.work import UnitOfWork
from contracts.event import Event
from guichet.operators import platform_facts
from services.identity.tenants.create_tenant import create_tenant
from tests.support.installation import Running
from tests.support.people import Somebody, somebody

OPS = "ops.localhost"
SERVICE, HANDLER = "notifier", "project_requester"


async def at_operators_host(whole: Running, *roles: str, language: str = "en") -> Somebody:
    """Somebody with these roles at the operators' own host."""
    async with whole.installation.runtimes["identity"].database.begin(PLATFORM) as work:
        await create_tenant(work, platform_facts(whole.installation.settings))
    await whole.settled()
    return await somebody(whole, PLATFORM, OPS, roles=roles, language=language)


async def an_operator(whole: Running, language: str = "en") -> Somebody:
    """An operator, signed in, who reads that language."""
    return await at_operators_host(whole, OPERATOR, language=language)


async def fail(_work: UnitOfWork, _event: Event) -> None:
    """A handler that can do nothing with what comes."""
    raise ValueError


@contextlib.asynccontextmanager
async def a_failing_handler(whole: Running) -> AsyncIterator[None]:
    """Meanwhile the notifier fails at whatever it is told of a person."""
    by_name = whole.installation.runtimes[SERVICE].workers[0]._handling._by_name
    kept = by_name[HANDLER]
    assert isinstance(kept, Subscription)
    by_name[HANDLER] = replace(kept, handler=fail)
    try:
        yield
    finally:
        by_name[HANDLER] = kept


async def a_dead_event(whole: Running, at: Somebody) -> DeadRow:
    """What told the notifier of somebody new at that tenant, at which it failed for good."""
    mover = whole.installation.runtimes[SERVICE].database.mover
    before = {row.id for row in await dead_rows(mover)}
    async with a_failing_handler(whole):
        await somebody(whole, at.tenant, at.host)
        async with asyncio.timeout(20):
            while True:
                fresh = [row for row in await dead_rows(mover) if row.id not in before]
                if fresh:
                    return fresh[0]
                await asyncio.sleep(0.02)
