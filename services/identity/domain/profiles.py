"""What a person may change of their profile, and what is refused."""

from dataclasses import dataclass

from chassis.problems import Invalid
from chassis.words import N_


@dataclass(frozen=True)
class Details:
    """How a person is called, and by phone."""

    title: str
    birth_name: str
    first_name: str
    phone: str | None


class WrongPassword(Invalid):
    """Not the current one, tried too often, or changed meanwhile: never which."""

    title = N_(
        "This is not your current password. Check it, then try again; after several attempts, "
        "wait a quarter of an hour."
    )
    field = "current_password"


class SameAddress(Invalid):
    """Their mails go there already."""

    title = N_("Your emails go to this address already. Give another one.")
    field = "email"


class AddressAskedTooOften(Invalid):
    """Several were asked for lately: another would only fill somebody's mailbox."""

    title = N_(
        "You have asked for several new addresses today. Look among the junk mail there, or "
        "contact the support team."
    )
    field = "email"


class UnknownLanguage(Invalid):
    """Not one of the tenant's."""

    title = N_("Choose one of the languages of this portal.")
    field = "language"
