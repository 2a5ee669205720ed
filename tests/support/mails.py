"""Mails as their readers get them: each template with facts as the handlers make them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import yaml

from contracts.identity import TenantChanged
from contracts.links import LIFETIMES, LINK_PARAMETER, PATHS
from guichet.demo_data import DEMOS, demo_file
from services.notifier.delivery.mails import Letter
from services.notifier.delivery.render import render
from services.notifier.domain.kinds import KINDS, Template
from services.notifier.domain.links import Link
from tests.builders.notifier import MAYOR, a_tenant

ORIGIN = "http://ypok.localhost:8080"
SENT = datetime(2018, 4, 4, 13, 31, 13, tzinfo=UTC)
TOKEN = (
    f"1.{'eyJwIjoiYWN0aXZhdGlvbiIsImkiOiI' * 6}.{'kq3Zr8TtYw0dFvQm' * 5}"  # as long as a real one
)

FACTS: dict[Template, dict[str, Any]] = {
    Template.ACTIVATION: {},
    Template.INVITATION: {},
    Template.ADDRESS_KNOWN: {"accounts": [{"id": None, "username": "saint-amand"}]},
    Template.REQUEST_RECORDED: {
        "request_id": str(UUID(int=3)),
        "number": "2026-000123",
        "title": {"fr": "Anomalie - logiciel YPolice", "en": "Fault - YPolice software"},
        "saved_at": SENT.isoformat(),
    },
    Template.USERNAME_REMINDER: {
        "accounts": [
            {"id": None, "username": "saint-amand"},
            {"id": None, "username": "police-saint-amand"},
        ]
    },
    Template.PASSWORD_RESET: {"username": "saint-amand"},
    Template.PASSWORD_CHANGED: {"username": "saint-amand", "changed_at": SENT.isoformat()},
    Template.ADDRESS_CHANGE: {"username": "saint-amand"},
    Template.ADDRESS_CHANGED: {"username": "saint-amand", "changed_at": SENT.isoformat()},
}


def a_demo_tenant(language: str) -> TenantChanged:
    """The demo's tenant whose first language this is."""
    described = (yaml.safe_load(demo_file(slug, "tenant.yaml"))["tenant"] for slug in DEMOS)
    tenant = next(one for one in described if one["languages"][0] == language)
    told = ("slug", "name", "brand", "support", "signature", "languages", "timezone")
    host = f"{tenant['slug']}.localhost"
    return a_tenant(UUID(int=1), host=host, **{name: tenant[name] for name in told})


def link_of(template: Template) -> Link | None:
    """The link that is minted for such a mail, if it holds one."""
    purpose = KINDS[template].purpose
    if purpose is None:
        return None
    url = f"{ORIGIN}{PATHS[purpose]}?{LINK_PARAMETER}={TOKEN}"
    return Link(url, SENT + LIFETIMES[purpose])


def a_letter(
    template: Template,
    *,
    tenant: TenantChanged | None = None,
    facts: dict[str, Any] | None = None,
    language: str = "fr",
) -> Letter:
    """The mail as it goes over the wire."""
    return render(
        template,
        FACTS[template] if facts is None else facts,
        to=MAYOR,
        language=language,
        tenant=tenant or a_tenant(UUID(int=1)),
        origin=ORIGIN,
        link=link_of(template),
        message_id="<mail@ypok.localhost>",
        sent_at=SENT,
    )


def a_mail(template: Template, **given: Any) -> EmailMessage:
    """The mail as its reader's program reads it; `given` as to `a_letter`."""
    message = message_from_bytes(a_letter(template, **given).message, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def words_of(message: EmailMessage, kind: str) -> str:
    """What a mail says: `plain` or `html`."""
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")
