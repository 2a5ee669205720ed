"""Has the disk that holds the data room left?"""

import shutil
from collections.abc import Sequence

from guichet.doctor.finding import Finding, Place
from guichet.postgres.folder import SPARE_BYTES
from guichet.postgres.problems import OTHER_FOLDER


async def look(place: Place) -> Sequence[Finding]:
    """Less than what a start needs is too little."""
    folder = next(one for one in (place.data_dir, *place.data_dir.parents) if one.exists())
    free = shutil.disk_usage(folder).free
    if free >= SPARE_BYTES:
        return []
    return [
        Finding(
            "disk",
            f"The disk that holds {place.data_dir} has {free // 1_000_000} MB left, and Guichet"
            f" needs {SPARE_BYTES // 1_000_000} MB.",
            f"Free some space there, or {OTHER_FOLDER}.",
        )
    ]
