"""Is the data folder ours, and may we work in it?"""

import os
from collections.abc import Sequence

from guichet.doctor.finding import Finding, Place
from guichet.postgres.cluster import Cluster
from guichet.postgres.problems import OTHER_FOLDER, CannotStart
from guichet.postgres.processes import first_closed, who

CHECK = "data folder"


async def look(place: Place) -> Sequence[Finding]:
    """Unreadable, not writable, of another user, or closed to root's server."""
    folder, run_as = place.data_dir, who()
    if not folder.exists():
        return await _parent(place)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return [
            Finding(
                CHECK,
                f"The data in {folder} can't be read and written by this user.",
                f"Run Guichet as the user who made them, or {OTHER_FOLDER}.",
            )
        ]
    if place.apart:
        return []
    try:
        Cluster(folder).check_owner(run_as)
    except CannotStart:
        return [
            Finding(
                CHECK,
                f"The database in {folder / 'postgres'} belongs to another user.",
                f"Start Guichet as that user, give it back (chown -R), or {OTHER_FOLDER}.",
            )
        ]
    if run_as.other and (closed := first_closed(run_as, [*reversed(folder.parents), folder])):
        return [
            Finding(
                CHECK,
                f"Root's database server runs as the user nobody, who can't enter {closed}.",
                f"Open that folder to be passed through (chmod o+x), or {OTHER_FOLDER}.",
            )
        ]
    return []


async def _parent(place: Place) -> Sequence[Finding]:
    first = next(one for one in place.data_dir.parents if one.exists())
    if os.access(first, os.W_OK | os.X_OK):
        return []
    return [
        Finding(
            CHECK,
            f"The data folder {place.data_dir} can't be made: {first} is closed to this user.",
            f"Give this user the right to write there, or {OTHER_FOLDER}.",
        )
    ]
