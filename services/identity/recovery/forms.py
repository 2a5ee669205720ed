"""What a browser sends to get back an identifier or a password."""

from chassis.words import N_
from contracts.forms import Choice, Field, Form, Section
from services.identity.domain.recoveries import Lost
from services.identity.domain.usernames import LONGEST
from services.identity.new_password import HINTS, password_fields

CHOICE = Form(
    key="lost",
    sections=(
        Section(
            key="lost",
            title=N_("What you have lost"),
            fields=(
                Field(
                    key="lost",
                    kind="choice",
                    label=N_("What have you lost?"),
                    missing=N_("Choose what you have lost."),
                    choices=(
                        Choice(value="username", label=N_("My username")),
                        Choice(value="password", label=N_("My password")),
                    ),
                ),
            ),
        ),
    ),
)


def _named_by(*fields: Field) -> Form:
    return Form(
        key="recovery",
        sections=(Section(key="recovery", title=N_("Who you are"), fields=fields),),
    )


def _email(*, required: bool) -> Field:
    return Field(
        key="email",
        kind="email",
        label=N_("Your email address"),
        missing=N_("Give your email address."),
        autocomplete="email",
        required=required,
    )


FORMS: dict[Lost, Form] = {
    "username": _named_by(_email(required=True)),
    "password": _named_by(
        _email(required=False),  # the one or the other
        Field(
            key="username",
            kind="text",
            label=N_("Your username"),
            autocomplete="username",
            max_length=LONGEST,
            required=False,
        ),
    ),
}

NOTES: dict[Lost, str] = {
    "username": N_("Your username will be sent to you by email."),
    "password": N_("An email will be sent to you so that you can reset your password."),
}

RESET = {
    minimum: Form(
        key="reset",
        sections=(
            Section(
                key="password",
                title=N_("Your new password"),
                fields=password_fields(minimum, N_("New password")),
            ),
        ),
    )
    for minimum in HINTS
}
"""By the least length that the tenant asks of passwords."""
