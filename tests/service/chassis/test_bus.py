"""What any bus promises: the same tests over the embedded one and over RabbitMQ."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from chassis.runtime import Runtime
from chassis.subscriptions import Broadcast, broadcast
from contracts.event import Envelope
from tests.support.buses import (
    Carried,
    an_envelope,
    embedded,
    over_rabbitmq,
    rows_of,
    some_envelopes,
)
from tests.support.parcels.service import ParcelLabelled, ParcelLost
from tests.support.waiting import soon

Carrying = Callable[..., AbstractAsyncContextManager[Carried]]


@pytest.fixture(params=["embedded", "rabbitmq"])
def carrying(request: pytest.FixtureRequest, parcels: Runtime) -> Carrying:
    """Opens a bus with these broadcasts at its other end."""

    @asynccontextmanager
    async def opened(*broadcasts: Broadcast) -> AsyncIterator[Carried]:
        if request.param == "embedded":
            yield embedded(parcels, broadcasts)
        else:
            url: str = request.getfixturevalue("rabbitmq_url")
            async with over_rabbitmq([url], parcels, broadcasts) as carried:
                yield carried

    return opened


async def test_each_service_has_what_publish_returned_for(carrying: Carrying) -> None:
    told = some_envelopes(60)
    async with carrying() as carried:
        await carried.bus.publish(told)
        await carried.settled(told)


async def test_an_event_arrives_as_it_was_sent(carrying: Carrying, parcels: Runtime) -> None:
    told = an_envelope()
    heard: list[Envelope] = []

    async def hear(envelope: Envelope) -> None:
        heard.append(envelope)

    async with carrying(broadcast(ParcelLabelled, hear)) as carried:
        await carried.bus.publish([told])
        assert await soon(lambda: len(heard) == 1)
    assert heard == [told]


async def test_nothing_is_published_without_harm(carrying: Carrying) -> None:
    async with carrying() as carried:
        await carried.bus.publish([])


async def test_what_nobody_keeps_is_published_all_the_same(carrying: Carrying) -> None:
    nobodys = an_envelope(ParcelLost(parcel_id=an_envelope().subject))
    told = some_envelopes(3)
    async with carrying() as carried:
        await carried.bus.publish([nobodys, *told])
        await carried.settled(told)
        assert await carried.rows([nobodys]) == rows_of([nobodys])


async def test_an_event_that_comes_twice_is_kept_once(carrying: Carrying) -> None:
    told = some_envelopes(10)
    async with carrying() as carried:
        await carried.bus.publish([*told, *told])
        await carried.bus.publish(told)
        await carried.settled(told)


async def test_after_an_interruption_sending_again_does_no_harm(carrying: Carrying) -> None:
    told = some_envelopes(40)
    async with carrying() as carried:
        for steps in (1, 3, 10, 30):
            publishing = asyncio.ensure_future(carried.bus.publish(told))
            for _ in range(steps):
                await asyncio.sleep(0)
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
        await carried.bus.publish(told)
        await carried.settled(told)


async def test_several_publish_at_once(carrying: Carrying) -> None:
    told = [some_envelopes(15) for _ in range(6)]
    async with carrying() as carried:
        await asyncio.gather(*(carried.bus.publish(each) for each in told))
        await carried.settled([one for each in told for one in each])


async def test_caches_hear_what_they_asked_for(carrying: Carrying) -> None:
    told = some_envelopes(30)
    labelled = [one.id for one in told if one.type == ParcelLabelled.type_name()]
    heard: dict[str, list[Envelope]] = {"one": [], "other": []}

    def hearing(who: str) -> Broadcast:
        async def hear(envelope: Envelope) -> None:
            heard[who].append(envelope)

        return broadcast(ParcelLabelled, hear)

    async with carrying(hearing("one"), hearing("other")) as carried:
        await carried.bus.publish(told)
        assert await soon(lambda: len(heard["one"]) == len(labelled))
        assert await soon(lambda: len(heard["other"]) == len(labelled))
        await carried.settled(told)
    assert [[one.id for one in each] for each in heard.values()] == [labelled, labelled]


async def test_a_cache_that_fails_keeps_nobody_from_hearing(carrying: Carrying) -> None:
    told = some_envelopes(2)
    heard: list[Envelope] = []

    async def fail(_envelope: Envelope) -> None:
        raise ValueError("a cache's own trouble")

    async def hear(envelope: Envelope) -> None:
        heard.append(envelope)

    async with carrying(broadcast(ParcelLabelled, fail), broadcast(ParcelLabelled, hear)) as one:
        await one.bus.publish(told)
        await one.bus.publish(told)
        assert await soon(lambda: len(heard) == 4)
        await one.settled(told)
