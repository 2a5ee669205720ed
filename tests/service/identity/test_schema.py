"""The migrations make what the tables say."""

from chassis.database.migrate import differences
from services.identity.service import service


async def test_the_migrations_make_the_tables(identity_database: str) -> None:
    assert await differences(identity_database, service.schema) == []
