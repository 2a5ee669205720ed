"""The kinds of mails: what each is called, what its link is for, how long it is worth sending."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from chassis.words import N_
from contracts.links import REQUESTS_PATH, Purpose, request_path
from services.notifier.domain.links import PROFILE_PATH, RECOVERY_PATH, SIGN_IN_PATH


class Template(StrEnum):
    """Which mail: the name of its template, with `.html` and `.txt`."""

    ACTIVATION = "activation"
    ADDRESS_KNOWN = "address_known"
    INVITATION = "invitation"
    REQUEST_RECORDED = "request_recorded"
    USERNAME_REMINDER = "username_reminder"
    PASSWORD_RESET = "password_reset"
    PASSWORD_CHANGED = "password_changed"
    ADDRESS_CHANGE = "address_change"
    ADDRESS_CHANGED = "address_changed"


class Priority(IntEnum):
    """Which mails go first: somebody waits at the screen, or in their mailbox, or nobody does."""

    WAITED_FOR = 0
    AWAITED = 1
    TOLD = 2


@dataclass(frozen=True)
class Kind:
    """What mails of one template have in common.

    Each has one button. It opens the link that is minted at sending, which is for `opens`, or
    else a page of the tenant's: that of the request that the facts name, where they do.
    """

    subject_line: str  # a msgid with named placeholders that the facts fill
    button: str  # a msgid
    opens: Purpose | str
    shelf_life: timedelta  # not sent so long after it was asked for: dropped
    priority: Priority
    tries: int = 250  # five days at the longest pause, as RFC 5321 §4.5.4.1 asks for at least

    @property
    def purpose(self) -> Purpose | None:
        """Of the link that is minted; none: it holds no such link."""
        return self.opens if isinstance(self.opens, Purpose) else None

    def path(self, facts: Mapping[str, Any]) -> str:
        """Of the page that the button opens. Mails of earlier releases name no request."""
        assert not isinstance(self.opens, Purpose), "its link is minted before"
        named = facts.get("request_id") if self.opens == REQUESTS_PATH else None
        return request_path(UUID(named)) if named else self.opens


WEEK = timedelta(days=7)
A_DAY = 56
"""Tries in a day: who waits that long asks anew."""

KINDS = {
    Template.ACTIVATION: Kind(
        N_("Creation of your user account"),
        N_("Activate my account now"),
        Purpose.ACTIVATION,
        WEEK,
        Priority.AWAITED,
    ),
    Template.ADDRESS_KNOWN: Kind(
        N_("You already have an account on %(portal)s"),
        N_("Ask for a further account"),
        Purpose.FURTHER_ACCOUNT,
        WEEK,
        Priority.AWAITED,
    ),
    Template.INVITATION: Kind(
        N_("Your invitation to %(portal)s"),
        N_("Activate my account now"),
        Purpose.INVITATION,
        WEEK,
        Priority.AWAITED,
    ),
    Template.REQUEST_RECORDED: Kind(
        N_("Request %(number)s has been recorded"),
        N_("See my request"),
        REQUESTS_PATH,
        timedelta(days=30),
        Priority.TOLD,
    ),
    Template.USERNAME_REMINDER: Kind(
        N_("Your username on %(portal)s"),
        N_("Sign in"),
        SIGN_IN_PATH,
        WEEK,
        Priority.WAITED_FOR,
        tries=A_DAY,
    ),
    Template.PASSWORD_RESET: Kind(
        N_("Choose a new password for %(portal)s"),
        N_("Choose a new password"),
        Purpose.RESET,
        WEEK,
        Priority.WAITED_FOR,
        tries=A_DAY,
    ),
    Template.PASSWORD_CHANGED: Kind(
        N_("Your password has been changed"),
        N_("Choose a new password"),
        RECOVERY_PATH,
        WEEK,
        Priority.TOLD,
    ),
    Template.ADDRESS_CHANGE: Kind(
        N_("Confirm your new email address"),
        N_("Confirm this address"),
        Purpose.EMAIL_CHANGE,
        WEEK,
        Priority.WAITED_FOR,
        tries=A_DAY,
    ),
    Template.ADDRESS_CHANGED: Kind(
        N_("Your email address has been changed"),
        N_("See my profile"),
        PROFILE_PATH,
        WEEK,
        Priority.TOLD,
    ),
}
