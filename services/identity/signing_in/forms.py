"""What a browser sends to sign in."""

from chassis.words import N_
from contracts.forms import Field, Form, Section
from services.identity.domain.passwords import LONGEST

FORM = Form(
    key="sign_in",
    sections=(
        Section(
            key="sign_in",
            title=N_("Sign in"),
            fields=(
                Field(
                    key="username",
                    kind="text",
                    label=N_("Username:"),
                    placeholder=N_("Username"),
                    missing=N_("Give your username."),
                    autocomplete="username",
                ),
                Field(
                    key="password",
                    kind="password",
                    label=N_("Password:"),
                    placeholder=N_("Password"),
                    missing=N_("Give your password."),
                    autocomplete="current-password",
                    max_length=LONGEST,
                ),
            ),
        ),
    ),
)

WHY = {
    "procedure": N_(
        "To open this procedure, sign in: you will then be led to it. "
        "No account yet? Create one, it takes three minutes."
    ),
    "ended": N_(
        "Your session has ended. Sign in again: what you entered is kept, and you then go on "
        "from there."
    ),
    "page": N_("Sign in to see this page: you will then be led to it."),
    "registration": N_(
        "Your requests are shown once you have signed in. To activate your account, "
        "open the email that we have sent you and follow its link."
    ),
}
"""Why one is here, by the word in the address."""
