"""Making the mail that is sent: from a template and facts, at the moment of sending.

Nothing typed by a stranger reaches a header but through `email`'s own structured headers, cut to
one line; HTML is escaped; templates refuse what they were not given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from typing import Any

from chassis.web import palette
from chassis.web.i18n import DEFAULT_LANGUAGE, format_datetime, format_stamp, speaking
from chassis.words import shown
from contracts.identity import TenantChanged
from services.notifier.delivery.mails import Letter
from services.notifier.delivery.templates import CATALOGUES, ENVIRONMENT
from services.notifier.delivery.wire import written
from services.notifier.domain.kinds import KINDS, Kind, Template
from services.notifier.domain.lines import NoAddress, NoSender, header_line, mailbox, one_line
from services.notifier.domain.links import SIGN_IN_PATH, Link

SUBJECT_MOST = 150
NAME_MOST = 100


@dataclass(frozen=True)
class Button:
    """What a mail asks its reader to press, and where that leads."""

    url: str
    label: str


def render(
    template: Template,
    facts: Mapping[str, Any],
    *,
    to: str,
    language: str,
    tenant: TenantChanged,
    origin: str,
    link: Link | None,
    message_id: str,
    sent_at: datetime,
) -> Letter:
    """The letter, in the reader's language. Raises NoAddress and NoSender."""
    recipient = mailbox(to)
    portal = one_line(tenant.brand.portal_name, NAME_MOST)
    sender = _sender(tenant, portal)
    spoken = _spoken(language, tenant)
    brand = tenant.brand.colour
    colour = brand if palette.is_colour(brand) else palette.DEFAULT_BRAND
    with speaking(spoken):
        subject_line = _subject_line(template, facts, portal)
        given = {
            "language": spoken.replace("_", "-"),  # RFC 5646
            "heading": subject_line,
            "portal": portal,
            "signature": shown(tenant.signature, spoken).strip(),
            "support": tenant.support,
            "sign_in_url": origin + SIGN_IN_PATH,
            "button": _button(KINDS[template], origin, link, facts),
            "valid_until": None
            if link is None
            else format_stamp(link.valid_until, tenant.timezone),
            "light": palette.light(colour),
            "dark": palette.dark(colour),
            "facts": facts,
            "local": lambda instant: format_datetime(
                datetime.fromisoformat(instant), tenant.timezone
            ),
        }
        text = ENVIRONMENT.get_template(f"{template}.txt").render(given)
        html = ENVIRONMENT.get_template(f"{template}.html").render(given)
    return Letter(
        sender.addr_spec,
        recipient.addr_spec,
        written(
            sender,
            recipient,
            subject_line,
            text,
            html,
            message_id=message_id,
            sent_at=sent_at,
        ),
    )


def _button(kind: Kind, origin: str, link: Link | None, facts: Mapping[str, Any]) -> Button:
    label = CATALOGUES.say(kind.button)
    if link is not None:
        return Button(link.url, label)
    return Button(f"{origin}{kind.path(facts)}", label)


def _sender(tenant: TenantChanged, portal: str) -> Address:
    try:
        return mailbox(tenant.support.mail, header_line(portal, NAME_MOST))
    except NoAddress as error:
        raise NoSender from error


def _subject_line(template: Template, facts: Mapping[str, Any], portal: str) -> str:
    words = {name: one_line(value, NAME_MOST) for name, value in facts.items() if _plain(value)}
    msgid = KINDS[template].subject_line
    translated = CATALOGUES.say(msgid)
    return header_line(translated % {**words, "portal": portal}, SUBJECT_MOST)


def _plain(value: object) -> bool:
    return isinstance(value, str)


def _spoken(language: str, tenant: TenantChanged) -> str:
    """The reader's language, else the tenant's first, of those that are spoken here."""
    for wanted in (language, *tenant.languages):
        if CATALOGUES.speaks(wanted):
            return wanted
    return DEFAULT_LANGUAGE
