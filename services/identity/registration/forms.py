"""The box on the introduction page; the form itself is `domain.registrations.FORM`."""

from chassis.words import N_
from contracts.forms import Field, Form, Section

INTRODUCTION = Form(
    key="introduction",
    sections=(
        Section(
            key="terms",
            title=N_("Terms of use"),
            fields=(
                Field(
                    key="accepted",
                    kind="checkbox",
                    label=N_("I accept the general terms of use of the service"),
                    missing=N_("To go on, tick the box that accepts the terms of use."),
                ),
            ),
        ),
    ),
)
