"""The migrations make what the tables say."""

from chassis.database.migrate import differences
from services.identity.service import service
from tests.support.names import names_apart


async def test_the_migrations_make_the_tables(identity_database: str) -> None:
    with names_apart("id"):
        assert await differences(identity_database, service.schema) == []
