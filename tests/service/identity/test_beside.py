"""What this suite drives by hand is not also driven by the whole installation in this process."""

from chassis.runtime import Runtime
from tests.support.installation import Running


async def test_the_database_is_not_that_of_the_whole_installation(
    whole: Running, identity: Runtime
) -> None:
    theirs = whole.installation.runtimes["identity"].database
    assert identity.database.mover.url.database != theirs.mover.url.database
