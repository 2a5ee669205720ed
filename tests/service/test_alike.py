"""Nobody can tell whether an address or an identifier is known.

Not who asks for an account, nor who signs in, nor who has lost something.

Words, statuses, headers and lengths are compared once ids, keys and what was typed are masked;
what is typed is of equal length. Time is measured in this very process, from a request to its
answer: 50 of each kind, in pairs of changing order, so that neither always runs beside what the
other left to be done. Machines have bad moments, which both of a pair share: pairs are compared,
and where their middle is apart as many again are asked, six times at most.
"""

import gc
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from chassis.ids import new_id
from services.identity.accounts.invite_person import invite_person
from services.identity.domain.recoveries import MOST
from tests.builders.identity import PASSWORD
from tests.service.conftest import Town
from tests.support.answers import difference, said
from tests.support.forms import PageForm, form_in
from tests.support.installation import Running
from tests.support.people import Somebody, somebody

pytestmark = pytest.mark.xdist_group("every route")

TIMES = 50
ATTEMPTS = 6
APART = 1.10  # the slower over the quicker one, in the middle

KNOWN = 10
"""People who are known. Each is tried five times: fewer than after which nothing helps."""


@pytest.fixture(scope="module")
async def known(whole: Running, town: Town) -> list[Somebody]:
    """People whose addresses and identifiers are known."""
    return [await somebody(whole, town.who.tenant, town.who.host) for _ in range(KNOWN)]


@pytest.fixture
async def visitor(whole: Running, town: Town) -> AsyncIterator[httpx.AsyncClient]:
    async with whole.visitor(town.who.host) as one:
        yield one


def unlike(name: str) -> str:
    """Another name of the same length, which nobody has."""
    fresh = new_id().hex[-10:]
    return name.replace(name.partition("@")[0][-10:], fresh)


async def ratios(
    one: Callable[[int], Awaitable[httpx.Response]],
    other: Callable[[int], Awaitable[httpx.Response]],
) -> list[float]:
    """How many times as long the one took as the other, asked right before or after it."""
    found: list[float] = []
    gc.collect()
    gc.disable()
    try:
        for at in range(TIMES):
            took: dict[object, float] = {}
            for ask in (one, other) if at % 2 else (other, one):
                begun = time.perf_counter()
                await ask(at)
                took[ask] = time.perf_counter() - begun
            found.append(took[one] / took[other])
    finally:
        gc.enable()
    return found


async def assert_as_quick(
    whole: Running,
    one: Callable[[int], Awaitable[httpx.Response]],
    other: Callable[[int], Awaitable[httpx.Response]],
    *,
    before: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """The one takes as long as the other to a tenth, in the middle of all pairs so far."""
    for at in range(TIMES // 10):  # what is made at first use is made
        await one(at)
        await other(at)
    pairs: list[float] = []
    middles: list[float] = []
    for _ in range(ATTEMPTS):
        await whole.settled()
        if before is not None:
            await before()
        pairs += await ratios(one, other)
        middles.append(statistics.median(pairs))
        if 1 / APART <= middles[-1] <= APART:
            return
    pytest.fail(f"apart, as more pairs were asked: {middles}")


async def forget_attempts(whole: Running) -> None:
    """Let nobody have tried anything before."""
    db = await whole.admin("identity")
    await db.execute("DELETE FROM sign_in_attempts")
    await db.close()


# ── Registration ─────────────────────────────────────────────────────────────────────────────────


async def to_the_recap(client: httpx.AsyncClient, address: str) -> httpx.Response:
    """From the introduction to the recap, as somebody who has that address."""
    form = form_in((await client.get("/register")).text)
    begun = await client.post(form.action, data=form.filled())
    form = form_in((await client.get(begun.headers["location"])).text)
    return await client.post(form.action, data=form.filled(email=address, postcode="69700"))


async def registering(client: httpx.AsyncClient, address: str) -> list[httpx.Response]:
    """What one sees from the recap on: saving, the page that says so, the page made for paper."""
    recap = await to_the_recap(client, address)
    form = form_in(recap.text, "/register/save")
    sent = form.filled()
    saved = await client.post(form.action, data=sent)
    again = await client.post(form.action, data=sent)
    said_so = await client.get(saved.headers["location"])
    handle = saved.headers["location"].partition("handle=")[2]
    paper = await client.get(f"/requests/handle/{handle}")
    return [recap, saved, again, said_so, paper]


async def test_registration_says_the_same_of_every_address(
    whole: Running, town: Town, known: list[Somebody]
) -> None:
    addresses = (known[0].address, unlike(known[0].address))
    assert len({len(one) for one in addresses}) == 1
    seen = []
    for address in addresses:
        async with whole.visitor(town.who.host) as client:
            seen.append((address, await registering(client, address)))
            await whole.settled()
    (address, first), (other_address, second) = seen
    assert [one.status_code for one in first] == [200, 303, 303, 200, 200]
    for at, (one, other) in enumerate(zip(first, second, strict=True)):
        expected, found = said(one, echoed=(address,)), said(other, echoed=(other_address,))
        assert not difference(expected, found), at
        assert len(one.content) == len(other.content), at


async def test_registration_takes_as_long_for_every_address(
    whole: Running, visitor: httpx.AsyncClient, known: list[Somebody]
) -> None:
    recap = await to_the_recap(visitor, known[0].address)
    form = form_in(recap.text, "/register/save")

    async def save(address: str) -> httpx.Response:
        key = secrets.token_urlsafe(16)
        answer = await visitor.post(form.action, data=form.filled(email=address, _key=key))
        assert answer.status_code == 303
        return answer

    await assert_as_quick(
        whole,
        lambda at: save(known[at % KNOWN].address),
        lambda at: save(unlike(known[at % KNOWN].address)),
    )


# ── Signing in ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def sign_in_form(visitor: httpx.AsyncClient) -> PageForm:
    """The form of the sign-in page."""
    return form_in((await visitor.get("/sign-in?next=/requests&why=page")).text)


async def test_signing_in_says_the_same_of_every_identifier(
    visitor: httpx.AsyncClient, sign_in_form: PageForm, whole: Running, town: Town
) -> None:
    """Known or not, however often it was tried; once too often, the right password is wrong too."""
    who = await somebody(whole, town.who.tenant, town.who.host)
    wrong = PASSWORD[::-1]
    seen = []
    for username, last in ((who.username, PASSWORD), (unlike(who.username), PASSWORD)):
        answers = []
        for password in (*[wrong] * 10, last):
            sent = sign_in_form.filled(username=username, password=password)
            answers.append(await visitor.post(sign_in_form.action, data=sent))
        seen.append([(said(one, echoed=(username,)), len(one.content)) for one in answers])
    [first, second] = seen
    assert {one[0][0] for one in first} == {422}
    for (expected, length), (found, other_length) in zip(first, second, strict=True):
        assert not difference(expected, found)
        assert length == other_length
    assert not difference(first[0][0], first[-1][0])


async def test_an_identifier_of_another_tenant_is_unknown(
    visitor: httpx.AsyncClient, sign_in_form: PageForm, foreigner: Town
) -> None:
    answers = [
        said(
            await visitor.post(
                sign_in_form.action, data=sign_in_form.filled(username=one, password=PASSWORD)
            ),
            echoed=(one,),
        )
        for one in (foreigner.who.username, unlike(foreigner.who.username))
    ]
    assert not difference(*answers)


async def test_signing_in_takes_as_long_for_every_identifier(
    whole: Running, visitor: httpx.AsyncClient, sign_in_form: PageForm, town: Town
) -> None:
    async def try_with(username: str) -> httpx.Response:
        sent = sign_in_form.filled(username=username, password=PASSWORD[::-1])
        answer = await visitor.post(sign_in_form.action, data=sent)
        assert answer.status_code == 422
        return answer

    people = [await somebody(whole, town.who.tenant, town.who.host) for _ in range(KNOWN)]
    strangers = [unlike(one.username) for one in people]
    await assert_as_quick(
        whole,
        lambda at: try_with(people[at % KNOWN].username),
        lambda at: try_with(strangers[at % KNOWN]),
        before=lambda: forget_attempts(whole),
    )


# ── Recovery ─────────────────────────────────────────────────────────────────────────────────────

LOST = [("username", "email"), ("password", "email"), ("password", "username")]
"""What was lost, and by what one says who one is."""


def only(form: PageForm, key: str, typed: str) -> dict[str, str]:
    """What is sent where one says who one is by this, the other field left open."""
    return form.filled(**{**dict.fromkeys(form.inputs, ""), key: typed})


def typed_of(who: Somebody, key: str) -> str:
    """What that person types there."""
    return who.address if key == "email" else who.username


@pytest.mark.parametrize(("lost", "key"), LOST)
async def test_recovery_says_the_same_of_everybody(
    whole: Running, town: Town, visitor: httpx.AsyncClient, lost: str, key: str
) -> None:
    """Known or not, however often it was asked."""
    who = await somebody(whole, town.who.tenant, town.who.host)
    form = form_in((await visitor.get(f"/recovery/{lost}")).text)
    seen = []
    for typed in (typed_of(who, key), unlike(typed_of(who, key))):
        answers = []
        for _ in range(MOST + 2):
            sent = await visitor.post(form.action, data=only(form, key, typed))
            answers += [sent, await visitor.get(sent.headers["location"])]
            await whole.settled()
        seen.append([(said(one, echoed=(typed,)), len(one.content)) for one in answers])
    [first, second] = seen
    assert [one[0][0] for one in first] == [303, 200] * (MOST + 2)
    for (expected, length), (found, other_length) in zip(first, second, strict=True):
        assert not difference(expected, found)
        assert length == other_length


async def invited(whole: Running, town: Town) -> str:
    """The address of somebody whose account waits for its activation."""
    address = f"attend-{new_id().hex[-10:]}@ville.example"
    async with whole.installation.runtimes["identity"].database.begin(town.who.tenant) as work:
        await invite_person(work, address)
    return address


@pytest.mark.parametrize("lost", ["username", "password"])
async def test_recovery_says_the_same_of_who_never_activated(
    whole: Running, town: Town, visitor: httpx.AsyncClient, lost: str
) -> None:
    waiting = await invited(whole, town)
    form = form_in((await visitor.get(f"/recovery/{lost}")).text)
    seen = []
    for address in (waiting, unlike(waiting)):
        sent = await visitor.post(form.action, data=only(form, "email", address))
        answers = [sent, await visitor.get(sent.headers["location"])]
        await whole.settled()
        seen.append([(said(one, echoed=(address,)), len(one.content)) for one in answers])
    for (expected, length), (found, other_length) in zip(*seen, strict=True):
        assert not difference(expected, found)
        assert length == other_length
    assert len(await whole.mails_to(waiting, count=2)) == 2  # the invitation, and the same again


async def test_recovery_takes_as_long_for_who_never_activated(
    whole: Running, town: Town, visitor: httpx.AsyncClient
) -> None:
    form = form_in((await visitor.get("/recovery/password")).text)
    waiting = [await invited(whole, town) for _ in range(KNOWN)]
    strangers = [unlike(one) for one in waiting]

    async def ask(address: str) -> httpx.Response:
        answer = await visitor.post(form.action, data=only(form, "email", address))
        assert answer.status_code == 303
        return answer

    await assert_as_quick(
        whole,
        lambda at: ask(waiting[at % KNOWN]),
        lambda at: ask(strangers[at % KNOWN]),
        before=lambda: forget_attempts(whole),
    )


@pytest.mark.parametrize(("lost", "key"), LOST)
async def test_recovery_takes_as_long_for_everybody(
    whole: Running, town: Town, visitor: httpx.AsyncClient, lost: str, key: str
) -> None:
    form = form_in((await visitor.get(f"/recovery/{lost}")).text)
    people = [await somebody(whole, town.who.tenant, town.who.host) for _ in range(KNOWN)]
    known = [typed_of(one, key) for one in people]
    strangers = [unlike(one) for one in known]

    async def ask(typed: str) -> httpx.Response:
        answer = await visitor.post(form.action, data=only(form, key, typed))
        assert answer.status_code == 303
        return answer

    await assert_as_quick(
        whole,
        lambda at: ask(known[at % KNOWN]),
        lambda at: ask(strangers[at % KNOWN]),
        before=lambda: forget_attempts(whole),
    )
