"""The catalog's tables in code are those that its migrations make."""

from chassis.database.migrate import differences
from chassis.runtime import Runtime
from services.catalog.service import service
from tests.support.names import names_apart


async def test_tables_and_migrations_agree(postgres_url: str, catalog: Runtime) -> None:
    with names_apart("cat"):
        assert await differences(postgres_url, service.schema) == []
