"""Its tables: a root, a projection of it, and a list of what was told."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.database.rows import RootColumns, RowBase, TenantColumns, new_metadata


class Base(RowBase):
    """The service's own metadata."""

    __abstract__ = True

    metadata = new_metadata()


class Parcel(RootColumns, Base):
    """What events are about."""

    __tablename__ = "parcels"
    label: Mapped[str]


class Shelf(TenantColumns, Base):
    """A projection: the newest label of each parcel, and how often it was applied."""

    __tablename__ = "shelves"
    label: Mapped[str]
    applied: Mapped[int]


class Note(TenantColumns, Base):
    """A timeline: each event once."""

    __tablename__ = "notes"
    parcel_id: Mapped[UUID]
    label: Mapped[str]
