"""Access rules, declared on the route: who may call it. A route without one fails a test.

`dependencies=[allow(CUSTOMER)]`, or `allow(AGENT, ADMINISTRATOR)` for any of these roles;
`ANYONE`, `SIGNED_IN`, and `PARTS` for what only another part of the installation calls; `OPERATORS`
for what the gateway asks on behalf of one.

A form may be sent only for its page to be shown as it stands, in another language or theme. A
route that bears this says so by a parameter, `again: Again`; at any other such a form does nothing.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request

from chassis.principals import OPERATOR, Principal
from chassis.problems import Forbidden, NotFound, SignInRequired
from chassis.tenants import PLATFORM

LANGUAGE_CHOICE, THEME_CHOICE = "_language", "_theme"
"""What an address says, behind its question mark, of a form that is only to be shown again."""


def is_shown_again(http: Request) -> bool:
    """Is this form sent only to be shown as it stands? Then nothing of it is done or saved."""
    choices = (LANGUAGE_CHOICE, THEME_CHOICE)
    return http.method == "POST" and any(one in http.query_params for one in choices)


Again = Annotated[bool, Depends(is_shown_again)]


@dataclass(frozen=True)
class Access:
    """One rule, a dependency that refuses by raising."""

    kind: Literal["anyone", "signed_in", "roles", "parts", "operators"]
    roles: frozenset[str] = frozenset()

    async def __call__(self, http: Request) -> None:
        """Raises SignInRequired, Forbidden, or NotFound for what is for parts or operators."""
        principal: Principal = http.state.principal
        if is_shown_again(http) and not _shows_again(http):
            raise NotFound
        if self.kind == "anyone":
            return
        if self.kind == "parts":
            if principal.kind != "part":
                raise NotFound
            return
        if self.kind == "operators":
            if not is_operator(principal, http.state.call.tenant):
                raise NotFound
            return
        if not principal.signed_in:
            raise SignInRequired
        if self.kind == "roles" and not (self.roles & principal.roles):
            raise Forbidden


def is_operator(principal: Principal, tenant: UUID) -> bool:
    """Does this person look after the installation? A role of that name counts in the operators'
    own tenant alone: whatever roles a portal gives, none of its people is one."""
    return tenant == PLATFORM and principal.signed_in and OPERATOR in principal.roles


def _shows_again(http: Request) -> bool:
    asked = http.scope["route"].dependant.dependencies
    return any(one.call is is_shown_again for one in asked)


# FastAPI's own marker; mypy can't name its type.
ANYONE = Depends(Access("anyone"))
SIGNED_IN = Depends(Access("signed_in"))
PARTS = Depends(Access("parts"))
OPERATORS = Depends(Access("operators"))


def allow(*roles: str) -> Any:
    """The rule that lets in whoever has one of the roles."""
    return Depends(Access("roles", frozenset(roles)))
