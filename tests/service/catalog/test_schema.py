"""The catalog's tables in code are those that its migrations make."""

from chassis.database.migrate import differences
from chassis.runtime import Runtime
from services.catalog.service import service


async def test_tables_and_migrations_agree(postgres_url: str, catalog: Runtime) -> None:
    assert await differences(postgres_url, service.schema) == []
