"""Connections: PostgreSQL by asyncpg under SQLAlchemy, each transaction begun with its tenant.

The tenant's setting is sent in one message with BEGIN (docs/decisions/0003): as a statement of its
own it would cost a round trip a transaction. Row-level security reads it and fails closed.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

TENANT_SETTING = "guichet.tenant"

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 10_000
IDLE_TIMEOUT_MS = 60_000


AWAY = {"08", "53", "57"}
"""Classes of SQLSTATE: no connection, no room, ended or cut short by the server."""


class TenantConnection(asyncpg.Connection):
    """A connection whose next BEGIN sets the tenant for that transaction alone."""

    tenant: UUID | None = None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        """As asyncpg's; to a bare BEGIN the tenant's setting is appended."""
        if not args and self.tenant is not None and query.startswith("BEGIN"):
            query = (
                f"{query.rstrip(';')}; "
                f"SELECT set_config('{TENANT_SETTING}', '{self.tenant}', true);"
            )
        return await super().execute(query, *args, timeout=timeout)


def set_tenant(connection: AsyncConnection, tenant: UUID | None) -> None:
    """Whose transaction this connection begins next. To be called before its first statement."""
    fairy = connection.sync_connection.connection  # type: ignore[union-attr]  # open: has one
    driver: TenantConnection = fairy.driver_connection  # type: ignore[assignment]  # our class
    driver.tenant = tenant


def create_engine(
    url: str,
    *,
    size: int,
    application: str,
    opened: Callable[[asyncpg.Connection], None] = lambda _connection: None,
) -> AsyncEngine:
    """A pool of at most `size` connections to `url` (`postgresql://…`), each with time limits.

    `opened` is handed each connection that it opens.
    """
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        connect_args={
            "connection_class": TenantConnection,
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": STATEMENT_TIMEOUT_MS / 1000 + 5,
            "server_settings": {
                "application_name": application,
                "timezone": "UTC",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
            },
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def tell(driver: Any, _record: Any) -> None:
        opened(driver.driver_connection)

    @event.listens_for(engine.sync_engine, "checkin")
    def forget_tenant(driver: Any, _record: Any) -> None:
        if driver is not None and driver.driver_connection is not None:
            driver.driver_connection.tenant = None

    return engine


async def take_role(connection: AsyncConnection, role: str, tenant: UUID) -> None:
    """From here to `drop_role` this transaction acts as `role`, for `tenant` alone."""
    await connection.execute(
        text(f"SELECT set_config('role', '{role}', true), set_config(:setting, :tenant, true)"),
        {"setting": TENANT_SETTING, "tenant": str(tenant)},
    )


async def drop_role(connection: AsyncConnection) -> None:
    """Be the login's own role again, for no tenant."""
    await connection.execute(
        text("SELECT set_config('role', 'none', true), set_config(:setting, '', true)"),
        {"setting": TENANT_SETTING},
    )


def is_away(error: BaseException) -> bool:
    """Is the database away, or too busy, so that the same may well succeed in a moment?"""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        return str(getattr(error.orig, "sqlstate", None) or "")[:2] in AWAY
    if isinstance(error, asyncpg.PostgresError):  # while connecting, SQLAlchemy wraps none
        return str(error.sqlstate or "")[:2] in AWAY
    return isinstance(error, (OSError, asyncpg.InterfaceError, NoConnectionFree))
