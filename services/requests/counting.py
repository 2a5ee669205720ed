"""Giving out numbers: a row for each tenant and year, raised last in its transaction."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from chassis.work import UnitOfWork
from services.requests.domain.numbers import numbered, year_of
from services.requests.tables import request_counters


async def next_number(work: UnitOfWork, timezone: str, at: datetime) -> str:
    """The next number of the year that `at` falls in, in the tenant's time zone.

    From here to the commit all others of this tenant who number wait, so whatever may be refused
    or may wait goes before; what is rolled back leaves no gap.
    """
    year = year_of(at, timezone)
    raised = await work.db.execute(
        insert(request_counters)
        .values(tenant_id=work.tenant, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["tenant_id", "year"], set_={"last": request_counters.c.last + 1}
        )
        .returning(request_counters.c.last)
    )
    return numbered(year, raised.scalar_one())
