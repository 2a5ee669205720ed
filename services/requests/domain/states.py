"""The states of a request, by the words that customers read."""

from chassis.words import N_

SAVED = "saved"

LABELS = {SAVED: N_("Received")}


def label_of(state: str) -> str:
    """The msgid of a state's name. Raises KeyError for one that nobody defined."""
    return LABELS[state]
