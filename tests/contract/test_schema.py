"""What the migrations make is what the code's tables say, in every service that there is."""

import pytest
from sqlalchemy import Column, Integer, Table

from chassis.database.migrate import Schema, differences
from chassis.database.rows import new_metadata
from guichet.parts import SERVICES
from tests.support.installation import Running


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_and_tables_agree(whole: Running, service: str) -> None:
    assert await differences(whole.admin_url, SERVICES[service].schema) == []


async def test_a_table_without_its_migration_is_found(whole: Running) -> None:
    own = SERVICES["catalog"].schema
    metadata = new_metadata()
    for table in own.metadata.tables.values():
        table.to_metadata(metadata)
    Table("forgotten", metadata, Column("id", Integer, primary_key=True))
    found = await differences(whole.admin_url, Schema(own.service, metadata, own.migrations))
    assert [(one[0], one[1].name) for one in found] == [("add_table", "forgotten")]
