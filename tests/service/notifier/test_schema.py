"""The database as migrated, and the tables in code."""

from chassis.database.migrate import differences
from chassis.keys import Keys
from services.notifier.service import service
from tests.support.names import names_apart


async def test_tables_and_migrations_agree(postgres_url: str, notifier_keys: Keys) -> None:
    assert notifier_keys.folder.exists()
    with names_apart("mail"):
        assert await differences(postgres_url, service.schema) == []
