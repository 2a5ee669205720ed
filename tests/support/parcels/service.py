"""Its events, handlers, timer and assembly."""

from pathlib import Path
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.database.migrate import Schema
from chassis.ids import new_id
from chassis.service import Service
from chassis.subscriptions import Timer, every, newest, on, when_due
from chassis.work import UnitOfWork
from contracts.event import Event
from tests.support.parcels.tables import Base, Note, Parcel, Shelf


class ParcelLabelled(Event, source="parcels", version=1, subject="parcel_id"):
    """A parcel has this label now."""

    parcel_id: UUID
    label: str


class ParcelWeighed(Event, source="parcels", version=1, subject="parcel_id"):
    """Noted, if the parcel is on its shelf already."""

    parcel_id: UUID


class ParcelLost(Event, source="parcels", version=1, subject="parcel_id", ends=True):
    """It is gone."""

    parcel_id: UUID


class Reminder(Timer, subject="parcel_id"):
    """Note the parcel later."""

    parcel_id: UUID


class Faults:
    """What the handlers are told to do wrong."""

    poison: set[str] = set()  # of the tests, set and cleared by each
    ran: list[str] = []  # the labels that were noted, in order


async def shelve(work: UnitOfWork, event: ParcelLabelled) -> None:
    """Keep the newest label."""
    await work.db.execute(
        insert(Shelf)
        .values(tenant_id=work.tenant, id=event.parcel_id, label=event.label, applied=1)
        .on_conflict_do_update(
            index_elements=["tenant_id", "id"],
            set_={"label": event.label, "applied": Shelf.applied + 1},
        )
    )


async def note(work: UnitOfWork, event: ParcelLabelled) -> None:
    """Note each label once."""
    if event.label in Faults.poison:
        raise ValueError("poison")
    Faults.ran.append(event.label)
    work.add(Note(id=new_id(), parcel_id=event.parcel_id, label=event.label))


async def note_weight(work: UnitOfWork, event: ParcelWeighed) -> None:
    """Note that it was weighed, once it is on its shelf."""
    shelf = await work.fetch(Shelf, event.parcel_id)
    work.add(Note(id=new_id(), parcel_id=event.parcel_id, label=f"weighed {shelf.label}"))


async def lose(work: UnitOfWork, event: ParcelLost) -> None:
    """Take it off its shelf."""
    shelf = await work.find(Shelf, Shelf.id == event.parcel_id)
    if shelf is not None:
        await work.db.delete(shelf)


async def remind(work: UnitOfWork, timer: Reminder) -> None:
    """Note that the time has come."""
    work.add(Note(id=new_id(), parcel_id=timer.parcel_id, label="reminded"))


async def label_parcel(work: UnitOfWork, label: str, parcel_id: UUID | None = None) -> UUID:
    """A new parcel, or another label for one."""
    if parcel_id is None:
        parcel = work.add(Parcel(id=new_id(), label=label))
    else:
        parcel = await work.fetch(Parcel, parcel_id)
        parcel.label = label
    work.emit(ParcelLabelled(parcel_id=parcel.id, label=label))
    return parcel.id


service = Service(
    name="parcels",
    schema=Schema("parcels", Base.metadata, Path(__file__).parent / "migrations"),
    routers=(),
    subscriptions=[
        on(ParcelLabelled, shelve, newest),
        on(ParcelLabelled, note, every),
        on(ParcelWeighed, note_weight, every),
        on(ParcelLost, lose, newest),
    ],
    timers=[when_due(Reminder, remind)],
)
