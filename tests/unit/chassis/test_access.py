"""Access rules: who gets in by which."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter

from chassis.access import ANYONE, PARTS, SIGNED_IN, Again, allow
from chassis.principals import ADMINISTRATOR, AGENT, ANONYMOUS, CUSTOMER, Principal
from chassis.problems import Forbidden, NotFound, SignInRequired

CUSTOMERS = Principal(kind="person", roles=frozenset({CUSTOMER}))
NOBODYS = Principal(kind="person")
PART = Principal(kind="part", part="gateway")
BOASTFUL = Principal(kind="anonymous", roles=frozenset({AGENT}))


def asking(principal: Principal, method: str = "GET", query: str = "", route: Any = None) -> Any:
    """A request as a rule sees it."""
    return SimpleNamespace(
        method=method,
        query_params={query: "en"} if query else {},
        scope={"route": route},
        state=SimpleNamespace(principal=principal),
    )


@pytest.mark.parametrize(
    ("rule", "principal", "refusal"),
    [
        (ANYONE, ANONYMOUS, None),
        (ANYONE, CUSTOMERS, None),
        (SIGNED_IN, ANONYMOUS, SignInRequired),
        (SIGNED_IN, PART, SignInRequired),
        (SIGNED_IN, NOBODYS, None),
        (allow(CUSTOMER), ANONYMOUS, SignInRequired),
        (allow(AGENT), BOASTFUL, SignInRequired),
        (allow(CUSTOMER), CUSTOMERS, None),
        (allow(AGENT, CUSTOMER), CUSTOMERS, None),
        (allow(AGENT, ADMINISTRATOR), CUSTOMERS, Forbidden),
        (allow(CUSTOMER), NOBODYS, Forbidden),
        (allow(), CUSTOMERS, Forbidden),
        (PARTS, PART, None),
        (PARTS, ANONYMOUS, NotFound),
        (PARTS, CUSTOMERS, NotFound),
    ],
)
async def test_who_gets_in(
    rule: Any, principal: Principal, refusal: type[Exception] | None
) -> None:
    http = asking(principal)
    if refusal is None:
        await rule.dependency(http)
    else:
        with pytest.raises(refusal):
            await rule.dependency(http)


@pytest.mark.parametrize("query", ["_language", "_theme"])
async def test_a_form_that_is_only_to_be_shown_again_does_nothing_elsewhere(query: str) -> None:
    router = APIRouter()

    @router.post("/bears-it", dependencies=[ANYONE])
    async def bears_it(again: Again) -> None:
        """Shows itself again."""

    @router.post("/does-something", dependencies=[ANYONE])
    async def does_something() -> None:
        """Knows nothing of that."""

    bears, does = router.routes
    await ANYONE.dependency(asking(ANONYMOUS, "POST", query, bears))
    with pytest.raises(NotFound):
        await ANYONE.dependency(asking(ANONYMOUS, "POST", query, does))
    for method, asked in (("POST", ""), ("GET", query)):
        await ANYONE.dependency(asking(ANONYMOUS, method, asked, does))
