"""The claim costs what it gives, however deep the queue is: by its index, as the mover."""

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from services.notifier.delivery.claim import CLAIM
from services.notifier.delivery.turns import FIRST_TENANT
from tests.builders.notifier import now
from tests.support.mail_queue import mail_queue

DEEP = 100_000


async def test_a_claim_from_a_deep_queue_reads_an_index_and_little_of_it(
    postgres_url: str, tmp_path: Path
) -> None:
    async with mail_queue(postgres_url, tmp_path, "deep") as queue:
        await queue.fill(DEEP, tenants=50)
        async with queue.database.mover.connect() as connection:
            found = await connection.execute(
                text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {CLAIM.text}"),
                {
                    "priority": 2,
                    "cursor": FIRST_TENANT,
                    "now": now() + timedelta(seconds=1),
                    "most": 24,
                    "each": 6,
                    "slugs": [],
                    "listed": False,
                    "holder": "test",
                    "lease": timedelta(seconds=30),
                },
            )
            plan = found.scalar_one()
            await connection.rollback()
    told = plan if isinstance(plan, list) else json.loads(plan)
    root = told[0]["Plan"]
    assert "Seq Scan on mails" not in scans(root)
    assert "ix_mails_turn" in str(root)
    read = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    assert read < 3000, f"{read} blocks for 24 mails"


def scans(plan: dict[str, object]) -> set[str]:
    """Every scan of a table in the plan, those within others included."""
    found = {f"{plan['Node Type']} on {plan.get('Relation Name')}"}
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    return found.union(*(scans(one) for one in inner))
