"""The kinds of mails: what each is called, what its link is for, how long it is worth sending."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chassis.words import N_
from contracts.links import Purpose
from services.notifier.domain.links import REQUESTS_PATH


class Template(StrEnum):
    """Which mail: the name of its template, with `.html` and `.txt`."""

    ACTIVATION = "activation"
    ADDRESS_KNOWN = "address_known"
    INVITATION = "invitation"
    REQUEST_RECORDED = "request_recorded"


@dataclass(frozen=True)
class Kind:
    """What mails of one template have in common.

    Each has one button. It opens the link that is minted at sending, which is for `opens`, or
    else a page of the tenant's.
    """

    subject_line: str  # a msgid with named placeholders that the facts fill
    button: str  # a msgid
    opens: Purpose | str
    shelf_life: timedelta  # not sent so long after it was asked for: dropped

    @property
    def purpose(self) -> Purpose | None:
        """Of the link that is minted; none: it holds no such link."""
        return self.opens if isinstance(self.opens, Purpose) else None


WEEK = timedelta(days=7)

KINDS = {
    Template.ACTIVATION: Kind(
        N_("Creation of your user account"),
        N_("Activate my account now"),
        Purpose.ACTIVATION,
        WEEK,
    ),
    Template.ADDRESS_KNOWN: Kind(
        N_("You already have an account on %(portal)s"),
        N_("Ask for a further account"),
        Purpose.FURTHER_ACCOUNT,
        WEEK,
    ),
    Template.INVITATION: Kind(
        N_("Your invitation to %(portal)s"),
        N_("Activate my account now"),
        Purpose.INVITATION,
        WEEK,
    ),
    Template.REQUEST_RECORDED: Kind(
        N_("Request %(number)s has been recorded"),
        N_("See my requests"),
        REQUESTS_PATH,
        timedelta(days=30),
    ),
}
