"""What a browser sends to make an account its person's."""

from chassis.words import N_
from contracts.forms import Field, Form, Section
from services.identity.domain import usernames
from services.identity.new_password import HINTS, password_fields


def _form(minimum: int) -> Form:
    return Form(
        key="activation",
        sections=(
            Section(
                key="credentials",
                title=N_("Your username and your password"),
                fields=(
                    Field(
                        key="username",
                        kind="text",
                        label=N_("Your sign-in username"),
                        missing=N_("Give the username that you want to sign in with."),
                        autocomplete="username",
                        max_length=usernames.LONGEST,
                    ),
                    *password_fields(minimum),
                ),
            ),
        ),
    )


FORMS = {minimum: _form(minimum) for minimum in HINTS}
"""By the least length that the tenant asks of passwords."""
