"""An event, a fact in the past tense, and the envelope that carries it between services.

The envelope's attributes are those of CloudEvents 1.0 (https://cloudevents.io) with four of ours:
`tenant`, `traceparent` (W3C Trace Context), `version` (of the subject's root row, raised in the
transaction that emitted the event) and `epoch` (raised when an installation is restored).
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

EVENTS: dict[str, type["Event"]] = {}
"""Every event class by its type as it stands in an envelope, such as `requests.RequestSaved.v1`."""


class Event(BaseModel):
    """A fact. Within a version only optional fields are added; readers ignore the unknown.

    Class arguments: `source` is the service that publishes it; `subject` the field that names
    whom it is about, whose row's version it carries; `concerns` the fields that name others, whose
    end (an erasure, say) makes this event void; `ends` says that nothing follows for its subject.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: ClassVar[str]
    schema_version: ClassVar[int]
    subject_field: ClassVar[str]
    concerns_fields: ClassVar[tuple[str, ...]]
    ends: ClassVar[bool]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__()  # the arguments are for the hook below: fields are known there

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        source: str = "",
        version: int = 1,
        subject: str = "",
        concerns: tuple[str, ...] = (),
        ends: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.source, cls.schema_version, cls.ends = source, version, ends
        cls.subject_field, cls.concerns_fields = subject, concerns
        missing = [name for name in (subject, *concerns) if name not in cls.model_fields]
        if missing:
            raise TypeError(f"{cls.__name__} has no field {', '.join(missing)}")
        EVENTS[cls.type_name()] = cls

    @classmethod
    def type_name(cls) -> str:
        """The type in an envelope, and the routing key: `<source>.<Type>.v<N>`."""
        return f"{cls.source}.{cls.__name__}.v{cls.schema_version}"

    @property
    def subject_id(self) -> UUID:
        """Whom the event is about."""
        subject: UUID = getattr(self, self.subject_field)
        return subject

    @property
    def concerned_ids(self) -> tuple[UUID, ...]:
        """The others whom it speaks of and who may have come to an end; unknown ones left out."""
        found = (getattr(self, name) for name in self.concerns_fields)
        return tuple(dict.fromkeys(one for one in found if one is not None))


class Envelope(BaseModel):
    """An event on its way: CloudEvents attributes, ours, and the event's own data as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    source: str
    type: str
    subject: UUID
    time: AwareDatetime
    dataschema: str
    tenant: UUID
    traceparent: str | None = None
    version: int
    epoch: int
    data: dict[str, Any]

    def event(self) -> Event:
        """The event itself. Raises KeyError for a type that nobody here knows."""
        return EVENTS[self.type].model_validate(self.data)


def sealed(
    event: Event,
    *,
    id: UUID,
    tenant: UUID,
    time: datetime,
    version: int,
    epoch: int,
    traceparent: str | None,
) -> Envelope:
    """The event in its envelope."""
    return Envelope(
        id=id,
        source=event.source,
        type=event.type_name(),
        subject=event.subject_id,
        time=time,
        dataschema=f"guichet:{event.type_name()}",
        tenant=tenant,
        traceparent=traceparent,
        version=version,
        epoch=epoch,
        data=event.model_dump(mode="json"),
    )
