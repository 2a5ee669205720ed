"""What a service listens to: durable subscriptions, broadcasts for caches, and timers.

A handler's function name is its key in the inbox, so it stays the same while events wait.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.event import Envelope, Event

if TYPE_CHECKING:
    from chassis.work import UnitOfWork


class Mode(Enum):
    """How a handler bears disorder."""

    NEWEST = "newest"  # a projection: what is older than what it kept is passed over
    EVERY = "every"  # mails, timelines: each once, in any order


newest = Mode.NEWEST
every = Mode.EVERY


class Timer(BaseModel):
    """What is to be done later: its facts, and the subject that it is one at a time with."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    subject_field: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__()  # the arguments are for the hook below: fields are known there

    @classmethod
    def __pydantic_init_subclass__(cls, subject: str = "", **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if subject not in cls.model_fields:
            raise TypeError(f"{cls.__name__} has no field {subject!r}")
        cls.subject_field = subject

    @property
    def subject_id(self) -> UUID:
        """Whom it is about."""
        subject: UUID = getattr(self, self.subject_field)
        return subject


Handler = Callable[["UnitOfWork", Any], Awaitable[None]]
Callback = Callable[[Envelope], Awaitable[None]]


@dataclass(frozen=True)
class Subscription:
    """A durable one: the service's inbox keeps each event until this handler has handled it."""

    events: tuple[type[Event], ...]
    handler: Handler
    mode: Mode
    alone: bool  # commits by itself, as one that takes a number must

    @property
    def name(self) -> str:
        """The handler's key in the inbox."""
        return self.handler.__name__


@dataclass(frozen=True)
class TimerHandler:
    """What is done when a timer of this kind is due."""

    timer: type[Timer]
    handler: Handler
    alone: bool = False

    @property
    def name(self) -> str:
        """The handler's key in the inbox."""
        return self.handler.__name__


@dataclass(frozen=True)
class Broadcast:
    """A cache's: each process hears each event while it is up, and loads a snapshot at start."""

    events: tuple[type[Event], ...]
    callback: Callback
    joined: Callable[[], Awaitable[None]] | None = None
    """Awaited each time that this process begins to hear, at its start and after each
    interruption: what was told before may have been missed, so a snapshot is loaded, or what was
    kept is dropped. What is told meanwhile is buffered, and handed to `callback` afterwards."""
    lost: Callable[[], None] | None = None
    """Called when this process no longer hears."""


def on(
    events: type[Event] | tuple[type[Event], ...],
    handler: Handler,
    mode: Mode,
    *,
    alone: bool = False,
) -> Subscription:
    """Have `handler` called for each of these events, once its effects can be committed."""
    return Subscription(events if isinstance(events, tuple) else (events,), handler, mode, alone)


def when_due(timer: type[Timer], handler: Handler, *, alone: bool = False) -> TimerHandler:
    """Have `handler` called when a timer of this kind, set by `work.later`, is due."""
    return TimerHandler(timer, handler, alone)


def broadcast(
    events: type[Event] | tuple[type[Event], ...],
    callback: Callback,
    *,
    joined: Callable[[], Awaitable[None]] | None = None,
    lost: Callable[[], None] | None = None,
) -> Broadcast:
    """Have `callback` called in this process for each of these events while it hears them."""
    classes = events if isinstance(events, tuple) else (events,)
    return Broadcast(classes, callback, joined, lost)
