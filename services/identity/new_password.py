"""The two fields in which a person chooses a password, as several slices' forms have them."""

from chassis.words import N_
from contracts.forms import Field
from services.identity.domain import passwords

HINTS = {
    passwords.SHORTEST: N_(
        "At least 12 characters: a short sentence that only you know is easy to keep in mind."
    ),
    passwords.SHORTEST_WHERE_ASKED: N_(
        "At least 15 characters: a short sentence that only you know is easy to keep in mind."
    ),
}
"""By the least length that the tenant asks of passwords."""


def password_fields(minimum: int, label: str = N_("Password")) -> tuple[Field, Field]:
    """`password` and `password_again`."""
    return (
        Field(
            key="password",
            kind="password",
            label=label,
            hint=HINTS[minimum],
            missing=N_("Choose a password."),
            autocomplete="new-password",
            max_length=passwords.LONGEST,
        ),
        Field(
            key="password_again",
            kind="password",
            label=N_("Repeat your password"),
            missing=N_("Type the same password a second time."),
            autocomplete="new-password",
            max_length=passwords.LONGEST,
        ),
    )
