"""The letters of this installation: rendered for their tenant, the link minted at sending."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from chassis.keys import Keys
from chassis.settings import Settings
from contracts.identity import TenantChanged
from services.notifier.delivery.mails import Key, Letter, Taken
from services.notifier.delivery.render import render
from services.notifier.domain.identifiers import message_id
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.domain.links import Link, mint


class PortalLetters:
    """Makes letters of what is taken, for the tenants that the projection knows."""

    def __init__(
        self,
        tenant_of: Callable[[UUID], Awaitable[TenantChanged | None]],
        keys: Keys,
        settings: Settings,
    ) -> None:
        self._tenant_of = tenant_of
        self._keys = keys
        self._settings = settings

    async def message_id(self, key: Key) -> str:
        """The mail's Message-ID, unless it was fixed before."""
        return message_id(key.id, (await self._tenant(key.tenant)).host)

    async def letter(self, mail: Taken, sent_at: datetime) -> Letter:
        """The mail as its reader gets it. Raises NoAddress and NoSender."""
        tenant = await self._tenant(mail.tenant)
        template = Template(mail.template)
        origin = (tenant.origin or "").rstrip("/") or self._settings.tenant_origin(tenant.host)
        link: Link | None = None
        purpose = KINDS[template].purpose
        if purpose is not None:
            assert mail.link_id is not None
            link = mint(
                self._keys.signing_key("notifier"),
                purpose,
                mail.link_id,
                tenant=mail.tenant,
                origin=origin,
                address=mail.address,
                sent_at=sent_at,
            )
        return render(
            template,
            mail.facts,
            to=mail.address,
            language=mail.language,
            tenant=tenant,
            origin=origin,
            link=link,
            message_id=mail.message_id,
            sent_at=sent_at,
        )

    async def _tenant(self, tenant: UUID) -> TenantChanged:
        found = await self._tenant_of(tenant)
        assert found is not None, "the claim saw its projection"
        return found
