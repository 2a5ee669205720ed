"""What a browser sends to change one's profile, a form for each thing."""

from collections.abc import Iterable

from chassis.web.i18n import name_of
from chassis.words import N_
from contracts.forms import Choice, Field, Form, Section
from services.identity.domain import passwords, registrations, usernames
from services.identity.new_password import HINTS, password_fields


def _form(key: str, title: str, *fields: Field) -> Form:
    return Form(key=key, sections=(Section(key=key, title=title, fields=fields),))


CURRENT_PASSWORD = Field(
    key="current_password",
    kind="password",
    label=N_("Current password"),
    missing=N_("Give your current password."),
    autocomplete="current-password",
    max_length=passwords.LONGEST,
)

DETAILS = _form(
    "details",
    N_("My details"),
    *(registrations.FORM.field(key) for key in ("title", "birth_name", "first_name")),
    Field(
        key="phone",
        kind="phone",
        label=N_("Phone"),
        hint=N_("The number at which the support team reaches you."),
        autocomplete="tel",
        width="half",
        required=False,
    ),
)

USERNAME = _form(
    "identifier",
    N_("My username"),
    Field(
        key="username",
        kind="text",
        label=N_("Your sign-in username"),
        missing=N_("Give the username that you want to sign in with."),
        autocomplete="username",
        max_length=usernames.LONGEST,
    ),
)

PASSWORD = {
    minimum: _form(
        "password",
        N_("My password"),
        CURRENT_PASSWORD,
        *password_fields(minimum, N_("New password")),
    )
    for minimum in HINTS
}
"""By the least length that the tenant asks of passwords."""

ADDRESS = _form(
    "address",
    N_("My email address"),
    Field(
        key="email",
        kind="email",
        label=N_("New email address"),
        missing=N_("Give your new email address."),
        autocomplete="email",
    ),
    CURRENT_PASSWORD,
)


def language_form(languages: Iterable[str]) -> Form:
    """Which of the tenant's languages?"""
    return _form(
        "language",
        N_("My language"),
        Field(
            key="language",
            kind="choice",
            label=N_("Language of the pages and of the emails"),
            missing=N_("Choose one of the languages of this portal."),
            choices=tuple(Choice(value=one, label={one: name_of(one)}) for one in languages),
        ),
    )
