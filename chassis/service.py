"""A service's assembly: its name and all that it is made of, listed by hand in its `service.py`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from chassis.database.migrate import Schema
from chassis.subscriptions import Subscription, TimerHandler

if TYPE_CHECKING:
    from chassis.runtime import Runtime


@dataclass(frozen=True)
class Service:
    """What a service is: routes, handlers, timers and tables.

    `extend` is called with the app and its runtime before either starts: the place for error
    pages, broadcasts and what else the service sets up in a process.
    """

    name: str
    schema: Schema
    routers: Sequence[APIRouter]
    subscriptions: Sequence[Subscription] = ()
    timers: Sequence[TimerHandler] = ()
    extend: Sequence[Callable[[FastAPI, "Runtime"], None]] = field(default_factory=tuple)
