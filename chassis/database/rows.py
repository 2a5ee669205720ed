"""What every table of tenant data has in common, and the tables' naming.

A service's `tables.py` begins with a declarative base of its own, so that four services fit in one
process: `class Base(RowBase): __abstract__ = True; metadata = new_metadata()`, then `class
TenantRow(TenantColumns, Base): __abstract__ = True` and, for rows that events are about, `class
RootRow(RootColumns, Base)`.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Metadata whose constraints have predictable names, as migrations need."""
    return MetaData(naming_convention=NAMING)


class RowBase(DeclarativeBase):
    """How Python's types stand in PostgreSQL: text for words, instants with their zone."""

    __abstract__ = True
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        UUID: Uuid,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


class TenantColumns:
    """`tenant_id` and `id`, together the key."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-20)
    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-19)


class RootColumns(TenantColumns):
    """A row that events are about: its version rises with each transaction that emits one."""

    version: Mapped[int] = mapped_column(BigInteger, default=0, sort_order=90)
