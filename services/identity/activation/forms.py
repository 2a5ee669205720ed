"""What a browser sends to make an account its person's."""

from chassis.words import N_
from contracts.forms import Field, Form, Section
from services.identity.domain import passwords, usernames

HINTS = {
    passwords.SHORTEST: N_(
        "At least 12 characters: a short sentence that only you know is easy to keep in mind."
    ),
    passwords.SHORTEST_WHERE_ASKED: N_(
        "At least 15 characters: a short sentence that only you know is easy to keep in mind."
    ),
}


def _form(minimum: int) -> Form:
    return Form(
        key="activation",
        sections=(
            Section(
                key="credentials",
                title=N_("Your identifier and your password"),
                fields=(
                    Field(
                        key="username",
                        kind="text",
                        label=N_("Your sign-in identifier"),
                        missing=N_("Give the identifier that you want to sign in with."),
                        autocomplete="username",
                        max_length=usernames.LONGEST,
                    ),
                    Field(
                        key="password",
                        kind="password",
                        label=N_("Password"),
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
                ),
            ),
        ),
    )


FORMS = {minimum: _form(minimum) for minimum in HINTS}
"""By the least length that the tenant asks of passwords."""
