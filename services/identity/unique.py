"""What a unique constraint refuses, told as a problem: the one word on who came first."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy.exc import IntegrityError

from chassis.problems import Problem
from chassis.work import UnitOfWork


@asynccontextmanager
async def refusing(work: UnitOfWork, problems: Mapping[str, type[Problem]]) -> AsyncIterator[None]:
    """Flush what the block changes; a breach of a named constraint raises its problem.

    The transaction stays usable: the block runs in a savepoint.
    """
    try:
        async with work.db.begin_nested():
            yield
            await work.db.flush()
    except IntegrityError as error:
        name = getattr(error.orig.__cause__, "constraint_name", "") if error.orig else ""
        if name not in problems:
            raise
        raise problems[name] from error
