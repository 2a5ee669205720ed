"""Enter at a relay: the connection, TLS and the sign-in, before any mail is offered.

What the settings want hidden is not said in the clear, and not to somebody else: a relay without
STARTTLS, or whose certificate isn't trusted, hears EHLO and no more. `guichet doctor` enters the
same way.
"""

import asyncio
import ssl

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPHeloError,
    SMTPResponseException,
)

from chassis.settings import RelayAt
from services.notifier.delivery.steps import RelayAway


class AuthoritiesUnread(RelayAway):
    """The file of the authorities to trust can't be read, or holds none."""


class NotTrusted(RelayAway):
    """The certificate is nobody's whom we trust, another host's, or out of its time."""


class TlsBroken(RelayAway):
    """TLS was begun and came to nothing, for another reason."""


class NoStartTls(RelayAway):
    """STARTTLS is wanted and not offered."""


class SignInUnhidden(RelayAway):
    """There is a password, and no TLS to say it in: it isn't said."""


class PasswordUnread(RelayAway):
    """The file that the password stands in can't be read."""


class SignInRefused(RelayAway):
    """The relay refuses user or password, or offers no way to sign in that we know."""


class Refused(RelayAway):
    """It answers, and wants nothing of us for now."""


async def enter(at: RelayAt, *, own_name: str) -> SMTP:
    """A connection that is ready for mail. Raises RelayAway, with a cause that tells no secret."""
    tls = at.tls_used
    if at.user is not None and tls == "none":
        raise SignInUnhidden("sign-in without TLS")
    client = SMTP(
        hostname=at.host,
        port=at.port,
        timeout=at.timeout_s,
        local_hostname=own_name,
        use_tls=tls == "tls",
        start_tls=False,
        tls_context=_context(at),
    )
    try:
        async with asyncio.timeout(at.timeout_s):
            await client.connect()
            if tls in ("starttls", "starttls-unverified"):
                await client.ehlo()
                if not client.supports_extension("starttls"):
                    raise NoStartTls("no STARTTLS")
                await client.starttls()
            if at.user is not None:
                await _sign_in(client, at.user, _password(at))
            if client.last_ehlo_response is None:  # what was offered before TLS counts for nothing
                await _greeted(client)
    except (SMTPException, OSError, ValueError) as error:  # TimeoutError is an OSError
        client.close()
        raise _away(error) from error
    except BaseException:
        client.close()
        raise
    return client


async def _sign_in(client: SMTP, user: str, password: str) -> None:
    await client.ehlo()  # what is offered in TLS may be other than before it (RFC 3207 §4.2)
    if not client.supported_auth_methods:
        raise SignInRefused("no sign-in offered")
    try:
        await client.login(user, password)
    except SMTPAuthenticationError as error:
        raise SignInRefused(f"sign-in refused with {error.code}") from None


async def _greeted(client: SMTP) -> None:
    """Hear what the relay offers. One of old, which knows no EHLO, is told HELO with its mail."""
    try:
        await client.ehlo()
    except SMTPHeloError:
        if not client.is_connected:
            raise


def _password(at: RelayAt) -> str:
    try:
        return at.password_read()
    except (OSError, ValueError) as error:
        raise PasswordUnread(f"password file: {type(error).__name__}") from None


def _context(at: RelayAt) -> ssl.SSLContext | None:
    if at.tls_used == "none":
        return None
    try:
        context = ssl.create_default_context(cafile=at.ca_file)
    except (OSError, ValueError) as error:
        raise AuthoritiesUnread(f"authorities' file: {type(error).__name__}") from error
    if at.tls_used == "starttls-unverified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _away(error: BaseException) -> RelayAway:
    if isinstance(error, SMTPResponseException):
        return Refused(f"refused with {error.code}")
    for one in (error, error.__cause__):
        if isinstance(one, ssl.SSLCertVerificationError):
            return NotTrusted(f"certificate: {one.verify_message.rstrip('.')}")
        if isinstance(one, ssl.SSLError):
            return TlsBroken(f"TLS: {one.reason or type(one).__name__}")
    return RelayAway(type(error).__name__)
