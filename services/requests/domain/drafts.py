"""Drafts: what of a page is kept in one, for how long, and when the other services are told."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chassis.problems import Invalid
from chassis.words import N_
from contracts.forms import Form

KEPT_FOR = timedelta(days=90)
"""After the last time it was saved."""

UNDO_FOR = timedelta(hours=1)
"""After it was thrown away, in which it can be taken back."""

LONGEST_KEY = 64
LARGEST = 400_000
"""Characters of all values, as typed: several times what the longest form takes."""


class TooLong(Invalid):
    """More than a draft holds."""

    title = N_("Your answers are too long to be kept. Shorten them, then go on.")


def kept(form: Form, fields: Mapping[str, str]) -> dict[str, str]:
    """The answers to this form among what a page sent, as typed.

    Those to questions that are hidden just now too: they may be asked again. Raises TooLong.
    """
    asked = {field.key for field in form.fields()} | {section.key for section in form.sections}
    values = {
        name: value.replace("\0", "").replace("\r\n", "\n")  # PostgreSQL holds no NUL
        for name, value in fields.items()
        if name.partition(".")[0] in asked
    }
    if sum(len(name) + len(value) for name, value in values.items()) > LARGEST:
        raise TooLong
    return values


def is_another_day(before: datetime, now: datetime, timezone: str) -> bool:
    """Does the calendar of that IANA zone show another day than it did?"""
    zone = ZoneInfo(timezone)
    return before.astimezone(zone).date() != now.astimezone(zone).date()
