"""Access rules, declared on the route: who may call it. A route without one fails a test.

`dependencies=[allow(CUSTOMER)]`, or `allow(AGENT, ADMINISTRATOR)` for any of these roles;
`ANYONE`, `SIGNED_IN`, and `PARTS` for what only another part of the installation calls.
"""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Depends, Request

from chassis.principals import Principal
from chassis.problems import Forbidden, NotFound, SignInRequired


@dataclass(frozen=True)
class Access:
    """One rule, a dependency that refuses by raising."""

    kind: Literal["anyone", "signed_in", "roles", "parts"]
    roles: frozenset[str] = frozenset()

    async def __call__(self, http: Request) -> None:
        """Raises SignInRequired, Forbidden, or NotFound for what only parts may see."""
        principal: Principal = http.state.principal
        if self.kind == "anyone":
            return
        if self.kind == "parts":
            if principal.kind != "part":
                raise NotFound
            return
        if not principal.signed_in:
            raise SignInRequired
        if self.kind == "roles" and not (self.roles & principal.roles):
            raise Forbidden


# FastAPI's own marker; mypy can't name its type.
ANYONE = Depends(Access("anyone"))
SIGNED_IN = Depends(Access("signed_in"))
PARTS = Depends(Access("parts"))


def allow(*roles: str) -> Any:
    """The rule that lets in whoever has one of the roles."""
    return Depends(Access("roles", frozenset(roles)))
