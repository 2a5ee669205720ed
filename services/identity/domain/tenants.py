"""Tenants: what is said of one, what its slug and host may be, and how it is told."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from chassis.problems import Conflict, NotFound
from chassis.words import N_
from contracts.identity import Brand, Support, TenantChanged
from contracts.identity import Terms as TermsInForce
from contracts.words import Words

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")


class SlugTaken(Conflict):
    """Another tenant of the installation has this slug."""

    title = N_("Another tenant is called so.")
    field = "slug"


class HostTaken(Conflict):
    """Another tenant of the installation is reached by this host name."""

    title = N_("Another tenant is reached by this host name.")
    field = "host"


class UnknownTenant(NotFound):
    """There is no such tenant in the installation."""

    title = N_("There is no such tenant.")


def normalised_host(host: str) -> str:
    """The host as it is looked up: lower case, ASCII, no port, no final dot.

    Raises ValueError for what no Host header could hold.
    """
    name = host.strip().lower().rpartition(":")[0] if ":" in host else host.strip().lower()
    name = name.removesuffix(".")
    try:
        name = name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("not a host name") from error
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError("not a host name")
    return name


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a time zone of IANA's")
    return name


class TenantFacts(BaseModel):
    """What an operator says of a tenant, in YAML or on the command line; kept as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: Slug
    host: Annotated[str, AfterValidator(normalised_host)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    origin: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")] | None = None
    brand: Brand
    support: Support = Support(phone="", hours={}, mail="")
    signature: Words = Field(default_factory=dict)
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("fr",)
    timezone: Annotated[str, AfterValidator(_known_zone)] = "Europe/Paris"
    terms: Words = Field(default_factory=dict)
    texts: dict[str, Words] = Field(default_factory=dict)  # legal, privacy, accessibility, help
    password_minimum: Literal[12, 15] = 12  # domain.passwords

    def kept(self) -> dict[str, Any]:
        """What stands in the tenant's `facts`: what has no column or table of its own."""
        return self.model_dump(mode="json", exclude={"slug", "host", "terms"})


def told(
    *,
    tenant_id: UUID,
    slug: str,
    host: str,
    state: str,
    facts: dict[str, Any],
    terms_number: int,
    terms_text: dict[str, Any],
    terms_published_at: datetime,
) -> TenantChanged:
    """The tenant as the other services hear of it, whole."""
    terms = TermsInForce(version=terms_number, published_at=terms_published_at, text=terms_text)
    own = {"tenant_id": tenant_id, "slug": slug, "host": host, "state": state, "terms": terms}
    return TenantChanged.model_validate({**facts, **own})
