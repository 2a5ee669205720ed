"""Registrations: the fixed form that asks for an account, and what its answers say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.problems import Conflict, Invalid
from chassis.words import N_
from contracts.forms import Choice, Field, Form, Section

TITLE = N_("Account creation")
ABOUT = N_("Creation of your account.")
MINUTES = 3

LAPSES_AFTER = timedelta(days=30)
"""What was not activated by then is erased, counted from its submission."""

_POSTCODE = re.compile(r"[0-9]{5}", re.ASCII)

FORM = Form(
    key="registration",
    sections=(
        Section(
            key="town",
            title=N_("Town"),
            recap_subtitle=N_("Profile"),
            fields=(
                Field(
                    key="town_name",
                    kind="text",
                    label=N_("Name of the town"),
                    missing=N_("Give the name of the town."),
                    autocomplete="organization",
                    max_length=120,
                ),
                Field(
                    key="city",
                    kind="text",
                    label=N_("Post town"),
                    missing=N_("Give the town of the address."),
                    group=N_("Address of the town"),
                    autocomplete="address-level2",
                    max_length=120,
                ),
                Field(
                    key="postcode",
                    kind="text",
                    label=N_("Postcode"),
                    missing=N_("Give the postcode."),
                    group=N_("Address of the town"),
                    autocomplete="postal-code",
                    width="short",
                    max_length=10,
                ),
            ),
        ),
        Section(
            key="person",
            title=N_("Details of the person in charge"),
            recap_subtitle=N_("Requester: new user"),
            fields=(
                Field(
                    key="title",
                    kind="choice",
                    label=N_("Title"),
                    missing=N_("Choose a title."),
                    choices=(
                        Choice(value="Mme", label=N_("Ms")),
                        Choice(value="M.", label=N_("Mr")),
                    ),
                    autocomplete="honorific-prefix",
                ),
                Field(
                    key="birth_name",
                    kind="text",
                    label=N_("Birth name"),
                    missing=N_("Give the birth name."),
                    autocomplete="family-name",
                    max_length=120,
                ),
                Field(
                    key="first_name",
                    kind="text",
                    label=N_("First name"),
                    missing=N_("Give the first name."),
                    autocomplete="given-name",
                    max_length=120,
                ),
                Field(
                    key="email",
                    kind="email",
                    label=N_("Email"),
                    hint=N_(
                        "Give an email address at which you wish to be told how the handling "
                        "of your requests goes on."
                    ),
                    missing=N_("Give an email address."),
                    autocomplete="email",
                ),
            ),
        ),
    ),
)


class BadPostcode(Invalid):
    """Not a French one."""

    title = N_("Give the postcode in five digits.")
    field = "postcode"


class KeyOfAnother(Conflict):
    """The one-use key of a recap was used by another browser."""

    title = N_("This request was saved from another browser. Begin a new one.")


@dataclass(frozen=True)
class Answers:
    """What a registration tells of a town and of the person in charge."""

    town_name: str
    city: str
    postcode: str
    title: str
    birth_name: str
    first_name: str
    email: str


@dataclass(frozen=True)
class AcceptedTerms:
    """Which version of the terms was accepted, and when."""

    number: int
    accepted_at: datetime


def answers_of(texts: Mapping[str, str]) -> Answers:
    """The answers of a form without errors. Raises BadPostcode."""
    postcode = re.sub(r"\s", "", texts["postcode"])
    if not _POSTCODE.fullmatch(postcode):
        raise BadPostcode
    named = {one.key: texts[one.key] for one in FORM.fields()}
    return Answers(**{**named, "postcode": postcode})
