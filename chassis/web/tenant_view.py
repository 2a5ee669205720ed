"""What every page shows of the tenant whose portal it belongs to."""

from dataclasses import dataclass, field
from uuid import UUID

from contracts.identity import TenantChanged
from contracts.words import Words


@dataclass(frozen=True)
class TenantView:
    """A tenant, cut to what pages need. Words are by language: the filter `shown` picks one."""

    id: UUID
    slug: str
    name: str  # the vendor or public body, such as YPOK
    portal_name: str  # such as YService
    host: str
    brand_colour: str  # #rrggbb
    tagline: Words = field(default_factory=dict)
    support_phone: str = ""
    support_hours: Words = field(default_factory=dict)
    support_mail: str = ""
    terms_version: int = 0
    languages: tuple[str, ...] = ("fr",)  # the first is the default
    timezone: str = "Europe/Paris"
    signature: Words = field(default_factory=dict)

    @classmethod
    def of(cls, facts: TenantChanged) -> "TenantView":
        """The tenant as identity last told of it."""
        return cls(
            id=facts.tenant_id,
            slug=facts.slug,
            name=facts.name,
            portal_name=facts.brand.portal_name,
            host=facts.host,
            brand_colour=facts.brand.colour,
            tagline=facts.brand.tagline,
            support_phone=facts.support.phone,
            support_hours=facts.support.hours,
            support_mail=facts.support.mail,
            terms_version=facts.terms.version,
            languages=facts.languages,
            timezone=facts.timezone,
            signature=facts.signature,
        )
