"""Every component on one page, `/ui`, for whoever builds pages: development and tests serve it.

It shows each macro of `templates/ui` and each kind of question, plain, filled in and refused.
"""

from decimal import Decimal
from typing import get_args

from fastapi import Request
from starlette.responses import Response

from chassis import forms
from chassis.web import i18n
from chassis.web.pages import Pages
from contracts.forms import AnsweredSection, Choice, Field, Form, Kind, Section

PATH = "/ui"

CHOICES = (Choice(value="one", label="One of them"), Choice(value="two", label="Another"))


def every_question() -> Form:
    """A form that asks in every kind there is, each mandatory and with a hint."""
    questions = tuple(
        Field(
            key=kind,
            kind=kind,
            label=f"A question of the kind {kind}",
            hint="What the answer is for.",
            choices=CHOICES if kind.startswith("choice") else (),
        )
        for kind in get_args(Kind)
    )
    more = (
        Field(
            key="select",
            kind="choice",
            widget="select",
            label="A choice from a list",
            choices=CHOICES,
        ),
        Field(key="free", kind="text", label="One that need not be answered", required=False),
        Field(key="count", kind="number", label="A short one", width="short", maximum=Decimal(9)),
    )
    return Form(
        sections=(
            Section(key="kinds", title="Every kind of question", fields=questions),
            Section(key="more", title="Ways to ask", subtitle="A subtitle.", fields=more),
        )
    )


def refused_questions() -> Form:
    """Some that are left open."""
    return Form(
        sections=(
            Section(
                key="refused",
                title="Refused",
                fields=(
                    Field(key="city", kind="text", label="City", missing="Enter the city."),
                    Field(key="day", kind="date", label="Since when", hint="A day.", width="half"),
                    Field(key="way", kind="choice", label="One of them", choices=CHOICES),
                    Field(key="sure", kind="checkbox", label="A box to tick"),
                ),
            ),
        )
    )


def answers() -> tuple[AnsweredSection, ...]:
    """Some answers, long ones among them."""
    asked = Form(
        sections=(
            Section(
                key="town",
                title="Town",
                recap_subtitle="Profile",
                fields=(
                    Field(key="name", kind="text", label="Name of the town"),
                    Field(key="story", kind="long_text", label="What happened"),
                ),
            ),
        )
    )
    values = {
        "name": "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson",
        "story": "The page stays white.\n\nA message comes up afterwards.",
    }
    language = i18n.current_language.get()
    return forms.answered(asked, values, [language], lambda msgid, _language: msgid)


def gallery_page(http: Request, pages: Pages) -> Response:
    """The page."""
    plain = forms.opened(every_question(), {})
    return pages.render(
        http,
        "gallery.html",
        plain=plain,
        refused=forms.read(refused_questions(), {}),
        sections=answers(),
    )
