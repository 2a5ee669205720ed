"""The first of tenancy's two walls: a session of one tenant, which sees and writes its rows alone.

Every statement by the mapper is filtered by the tenant, and a row of another cannot be added. What
is told of the class is told once: a session lives for one transaction, and would pay for it anew.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from chassis.database.rows import TenantColumns

_TENANT = "tenant"


class TenantSession(Session):
    """A session whose `info` names its tenant."""


def session_of(tenant: UUID, connection: AsyncConnection, **options: Any) -> AsyncSession:
    """A session of that tenant on the connection; further options are SQLAlchemy's."""
    return AsyncSession(
        connection,
        sync_session_class=TenantSession,
        expire_on_commit=False,
        info={_TENANT: tenant},
        **options,
    )


def tenant_of(session: AsyncSession) -> UUID:
    """Whose session it is. Raises KeyError for one that was not made here."""
    tenant: UUID = session.sync_session.info[_TENANT]
    return tenant


@event.listens_for(TenantSession, "do_orm_execute")
def _filter_statement(state: ORMExecuteState) -> None:
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(_rows_of(state.session.info[_TENANT]))


@lru_cache(maxsize=4096)
def _rows_of(tenant: UUID) -> ExecutableOption:
    return with_loader_criteria(
        TenantColumns, lambda row: row.tenant_id == tenant, include_aliases=True
    )


@event.listens_for(TenantSession, "before_flush")
def _refuse_foreign(session: Session, _context: Any, _instances: Any) -> None:
    tenant = session.info[_TENANT]
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantColumns) and row.tenant_id != tenant:
            raise PermissionError(f"a {type(row).__name__} of another tenant")
