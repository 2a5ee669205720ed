"""What filing's pages send: the introduction's box, and what travels beside the answers."""

from chassis.problems import Invalid
from chassis.words import N_
from contracts.forms import Field, Form, Section

TERMS = "terms"

# Inputs of the pages' own; no question is called so.
CONSENT = "_consent"
ASKED = "_asked"
SEEN = "_seen"
KEY = "_key"
TERMS_VERSION = "_terms_version"
PAGE = "_page"  # of the form's pages, which one was filled
REMOVE_FILE = "_remove_file"
THEN = "_then"  # which button was pressed: without one, what stands there is kept as a draft
NEXT = "next"
BACK = "back"
EDIT = "edit"
EDIT_SECTION = "edit:"  # and its key
SAVE = "save"
RESUME = "resume"
AFRESH = "afresh"

INTRODUCTION = Form(
    sections=(
        Section(
            key="introduction",
            title=N_("Terms of use"),
            fields=(
                Field(
                    key=TERMS,
                    kind="checkbox",
                    label=N_("I accept the general terms of use of the service"),
                    missing=N_("Accept the terms of use to go on: tick the box."),
                ),
            ),
        ),
    )
)


class TermsChanged(Invalid):
    """What was accepted is not the version in force any more."""

    title = N_("The terms of use have just changed. Read them again, then tick the box.")
    field = TERMS


class BegunTooLongAgo(Invalid):
    """The page was opened more than a day ago, or by somebody else."""

    title = N_("This request was begun too long ago. Go on from here: your answers are kept.")
