"""Do the mail relays let us in as delivery enters, and would they take mail?"""

from collections.abc import Mapping, Sequence

from aiosmtplib import SMTPException, SMTPResponseException

from chassis.settings import RelayAt
from guichet.doctor.finding import Finding, Place
from services.notifier.delivery.enter import (
    AuthoritiesUnread,
    NoStartTls,
    NotTrusted,
    PasswordUnread,
    Refused,
    SignInRefused,
    SignInUnhidden,
    TlsBroken,
    enter,
)
from services.notifier.delivery.steps import RelayAway

CHECK = "relay"
WITHIN_S = 10.0

SAID: Mapping[type[RelayAway], tuple[str, str]] = {
    NotTrusted: (
        "offers TLS that can't be trusted ({why})",
        (
            "Give it a certificate for this name by an authority that this machine knows, or name"
            " its authority's certificate in {ca_file}."
        ),
    ),
    TlsBroken: (
        "does not come to TLS with us ({why})",
        (
            "See that {tls} suits {port}: `starttls` where it begins in the clear (25, 587), `tls`"
            " where TLS begins at once (465)."
        ),
    ),
    NoStartTls: (
        "offers no STARTTLS, which we ask for",
        (
            "Have it offer that, or set {tls} to `tls` where its TLS begins at once; to `none`"
            " where nobody can listen on the way to it, and no sign-in is wanted."
        ),
    ),
    AuthoritiesUnread: (
        "can't be trusted, since its authorities can't be read ({why})",
        "Let {ca_file} name a file of certificates (PEM) that the part which delivers can read.",
    ),
    SignInUnhidden: (
        "is to be signed in to without TLS, which we don't",
        "Set {tls} to `starttls` or `tls`, or unset {user}.",
    ),
    PasswordUnread: (
        "can't be signed in to ({why})",
        "Let {password_file} name a file that the part which delivers can read.",
    ),
    SignInRefused: (
        "does not let us sign in ({why})",
        "Correct {user} and {password} or {password_file}.",
    ),
    Refused: (
        "does not take our mail ({why})",
        (
            "Have it accept mail from this machine (its log says what it wants), or set {host} to"
            " another."
        ),
    ),
    RelayAway: (
        "does not answer as one ({why})",
        "Start it, let this machine through to it, or correct {host} and {port}.",
    ),
}


async def look(place: Place) -> Sequence[Finding]:
    """Each by itself. No mail is offered: the dialogue ends before it."""
    relays = place.settings.all_relays()
    if place.settings.relay_host is None:
        del relays[""]  # the built-in catcher
    findings: list[Finding] = []
    for slug, at in relays.items():
        away = await _tried(at, place.settings.base_domain)
        if away is not None:
            findings.append(_finding(slug, at, away))
    return findings


async def _tried(at: RelayAt, own_name: str) -> RelayAway | None:
    """What keeps mail from it; None: nothing does."""
    hasty = at.model_copy(update={"timeout_s": min(at.timeout_s, WITHIN_S)})
    try:
        client = await enter(hasty, own_name=own_name)
    except RelayAway as away:
        return away
    try:
        await client.mail("")
    except SMTPResponseException as refusal:
        return Refused(f"refused with {refusal.code}")
    except (SMTPException, OSError) as error:
        return RelayAway(type(error).__name__)
    finally:
        client.close()
    return None


def _finding(slug: str, at: RelayAt, away: RelayAway) -> Finding:
    cause, remedy = SAID.get(type(away), SAID[RelayAway])
    settings = {
        name: f"`{name}` of {slug} in GUICHET_RELAYS" if slug else f"GUICHET_RELAY_{name.upper()}"
        for name in RelayAt.model_fields
    }
    whose = f" of {slug}" if slug else ""
    return Finding(
        CHECK,
        f"The mail relay{whose} {at.host}:{at.port} {cause.format(why=away)}.",
        f"{remedy.format_map(settings)} Mails wait meanwhile.",
    )
