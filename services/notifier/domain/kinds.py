"""The kinds of mails: what each is called, what its link is for, how long it is worth sending."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chassis.words import N_
from contracts.links import Purpose


class Template(StrEnum):
    """Which mail: the name of its template, with `.html` and `.txt`."""

    ACTIVATION = "activation"
    ADDRESS_KNOWN = "address_known"
    INVITATION = "invitation"
    REQUEST_RECORDED = "request_recorded"


@dataclass(frozen=True)
class Kind:
    """What mails of one template have in common."""

    subject_line: str  # a msgid with named placeholders that the facts fill
    purpose: Purpose | None  # of the link that is minted at sending; none: it holds no such link
    shelf_life: timedelta  # not sent so long after it was asked for: dropped


WEEK = timedelta(days=7)

KINDS = {
    Template.ACTIVATION: Kind(N_("Creation of your user account"), Purpose.ACTIVATION, WEEK),
    Template.ADDRESS_KNOWN: Kind(
        N_("You already have an account on %(portal)s"), Purpose.FURTHER_ACCOUNT, WEEK
    ),
    Template.INVITATION: Kind(N_("Your invitation to %(portal)s"), Purpose.INVITATION, WEEK),
    Template.REQUEST_RECORDED: Kind(
        N_("Request %(number)s has been recorded"), None, timedelta(days=30)
    ),
}
