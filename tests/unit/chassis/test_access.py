"""Access rules: who gets in by which."""

from types import SimpleNamespace
from typing import Any

import pytest

from chassis.access import ANYONE, PARTS, SIGNED_IN, allow
from chassis.principals import ADMINISTRATOR, AGENT, ANONYMOUS, CUSTOMER, Principal
from chassis.problems import Forbidden, NotFound, SignInRequired

CUSTOMERS = Principal(kind="person", roles=frozenset({CUSTOMER}))
NOBODYS = Principal(kind="person")
PART = Principal(kind="part", part="gateway")
BOASTFUL = Principal(kind="anonymous", roles=frozenset({AGENT}))


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
    http: Any = SimpleNamespace(state=SimpleNamespace(principal=principal))
    if refusal is None:
        await rule.dependency(http)
    else:
        with pytest.raises(refusal):
            await rule.dependency(http)
