"""The tables of requests."""

from chassis.database.migrate import differences
from services.requests.service import service
from tests.service.requests.conftest import Counter
from tests.support.names import names_apart


async def test_the_migrations_make_the_tables_that_the_code_has(
    counter: Counter, postgres_url: str
) -> None:
    with names_apart("req"):
        assert await differences(postgres_url, service.schema) == []
