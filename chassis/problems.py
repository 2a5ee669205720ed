"""The tree of refusals. A rule or a verb raises one; pages and interfaces turn it into words.

`title` is a gettext msgid with named placeholders that the fields given at raising fill.
"""

from typing import Any, ClassVar
from uuid import UUID


def _(message: str) -> str:
    """Marks a msgid for extraction; translated where it is shown."""
    return message


class Problem(Exception):
    """Something was refused. `status` is HTTP's; `title` says what to do, in whole sentences."""

    status: ClassVar[int] = 500
    title: str = _("Something went wrong on our side. Try again in a moment.")
    field: str | None = None

    def __init__(self, **facts: Any) -> None:
        super().__init__(type(self).__name__, facts)
        self.facts = facts


class Invalid(Problem):
    """What was sent breaks a rule: shown beside its `field`, everything typed kept."""

    status = 422


class NotFound(Problem):
    """Nothing by that id for this reader, whether or not it exists for another."""

    status = 404
    title = _("This page does not exist, or not for you.")


class Conflict(Problem):
    """It was possible, but has just been done or undone."""

    status = 409


class SignInRequired(Problem):
    """Only a signed-in person may do this. `files` names those of the form that were kept."""

    status = 401
    title = _("Sign in to go on.")


class Forbidden(Problem):
    """The principal may not do this."""

    status = 403
    title = _("You may not do this.")


class TooMany(Problem):
    """A limit was reached; `retry_s` tells after how many seconds to come back."""

    status = 429
    title = _("Too many attempts. Wait a moment, then try again.")


class Unavailable(Problem):
    """A part that is needed is away for now."""

    status = 503
    title = _("The service is away for a moment. Try again shortly.")


class NotYet(Exception):
    """A handler lacks what another event will bring: it waits for that subject. Not a failure."""

    def __init__(self, subject: UUID) -> None:
        super().__init__(f"waits for {subject}")
        self.subject = subject
