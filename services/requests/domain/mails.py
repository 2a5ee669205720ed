"""The mails about a request, and what became of them, by the words that customers read."""

from chassis.words import N_
from contracts.notifier import Cause

ACCEPTED = "accepted"

MAILS = {
    "request_recorded": N_("Email that confirms the request"),
    "activation": N_("Email with the link that activates the account"),
    "address_known": N_("Email about the accounts of this address"),
}
OTHER_MAIL = N_("Email about the request")

OUTCOMES = {
    ACCEPTED: N_("accepted by the mail server"),
    Cause.REFUSED: N_("refused by the mail server"),
    Cause.UNSENDABLE: N_("not sent: the address cannot receive email"),
    Cause.GAVE_UP: N_("not sent: the mail server did not take it in time"),
    Cause.TOO_OLD: N_("not sent: it could not leave in time"),
}
OTHER_OUTCOME = N_("not sent")

RELAYS_OWN = frozenset({ACCEPTED, Cause.REFUSED, Cause.GAVE_UP})
"""Outcomes whose words a mail server said."""


def mail_named(template: str) -> str:
    """The msgid of what a mail is called; of one that came to be later, a general one."""
    return MAILS.get(template, OTHER_MAIL)


def outcome_named(outcome: str) -> str:
    """The msgid of what became of a mail; of an outcome that came to be later, a general one."""
    return OUTCOMES.get(outcome, OTHER_OUTCOME)
