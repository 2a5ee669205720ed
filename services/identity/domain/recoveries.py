"""Recovery: what may be lost, and how often one may say so."""

from dataclasses import dataclass
from typing import Literal

from chassis.problems import Invalid
from chassis.words import N_

Lost = Literal["username", "password"]

MOST = 5
"""How many times the same is heard within `domain.attempts.WITHIN`, known or not: the page says the
same of one more."""


@dataclass(frozen=True)
class Loss:
    """What somebody says that they lost, and what they typed of themselves; empty: left open."""

    lost: Lost
    address: str
    username: str
    language: str


class NobodyNamed(Invalid):
    """Neither address nor identifier."""

    title = N_("Give your email address or your username.")
    field = "email"
