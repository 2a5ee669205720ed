"""The links that mails hold: what a signed one says, and whether it still serves."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.problems import Problem, TooMany
from chassis.words import N_
from contracts.links import CLOCK_TOLERANCE, LIFETIMES, Purpose, address_hash


class UnusableLink(Problem):
    """A link that does not serve; its page says why, and how to go on."""

    status = 403
    title = N_("This link is not valid.")


class AlteredLink(UnusableLink):
    """Not as we sent it: cut by a mail program, changed, or never ours."""

    title = N_("This link is not valid: it may have been cut or changed on its way.")


class ForeignLink(UnusableLink):
    """Ours, but of another portal, or of another page of this one."""

    title = N_("This link is not valid here: it belongs to another page.")


class ExpiredLink(UnusableLink):
    """Ours, and too old."""

    status = 410
    title = N_("This link has expired.")


class UsedLink(UnusableLink):
    """Ours, and consumed already, or void since another one was used."""

    status = 410
    title = N_("This link has been used already, or another one was used in its place.")


class GoneLink(UnusableLink):
    """Ours, but what it was for is no more, or its address changed."""

    status = 410
    title = N_("This link no longer leads anywhere.")


class TooManyLinks(TooMany):
    """Several were mailed lately: another would only fill the mailbox."""

    title = N_(
        "Several links have been sent to this address today. Look among the junk mail, "
        "or contact the support team: its phone number stands at the foot of this page."
    )


@dataclass(frozen=True)
class Link:
    """What a link says: what for, of what, mailed to whom and when."""

    purpose: Purpose
    id: UUID  # of the activation, invitation, submission, reset or change of address
    tenant: UUID
    address_hash: str
    sent_at: datetime

    @classmethod
    def of(cls, claims: dict[str, Any]) -> "Link":
        """From the claims of a statement whose signature is right. Raises AlteredLink."""
        try:
            return cls(
                Purpose(claims["p"]),
                UUID(hex=claims["i"]),
                UUID(claims["t"]),
                str(claims["a"]),
                datetime.fromtimestamp(claims["s"], UTC),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
            raise AlteredLink from error

    def check_place(self, purpose: Purpose, tenant: UUID) -> None:
        """Raises ForeignLink unless it is for this page of this portal."""
        if self.purpose is not purpose or self.tenant != tenant:
            raise ForeignLink

    def check_age(self, now: datetime) -> None:
        """Raises ExpiredLink; its age counts from sending."""
        age = now - self.sent_at
        if not -CLOCK_TOLERANCE <= age <= LIFETIMES[self.purpose] + CLOCK_TOLERANCE:
            raise ExpiredLink

    def was_mailed_to(self, address: str) -> bool:
        """Is it this address's?"""
        return self.address_hash == address_hash(address)


@dataclass(frozen=True)
class Standing:
    """What is known of what a link names."""

    account_state: str
    address: str  # that it must have been mailed to
    consumed_at: datetime | None
    voided_at: datetime | None


def check_serves_active(link: Link, standing: Standing | None, now: datetime) -> None:
    """Does a link of an active account serve? Signature and place were checked.

    Raises GoneLink, UsedLink or ExpiredLink.
    """
    if standing is None or standing.account_state != "active":
        raise GoneLink
    if standing.consumed_at is not None:
        raise UsedLink
    if not link.was_mailed_to(standing.address):
        raise GoneLink
    if standing.voided_at is not None:
        raise UsedLink
    link.check_age(now)


AGAIN_A_DAY = 5
"""How many links may be asked for one account within `AGAIN_WITHIN`."""

AGAIN_WITHIN = timedelta(hours=24)

LAPSES_AFTER = timedelta(days=8)
"""What a link of an active account names goes: its mail waits seven days, the link serves one."""
