"""Are the keys there, and for nobody else to read?"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.app import PARTS
from guichet.doctor.finding import Finding, Place

ALWAYS = ("postgres.secret", *(f"{part}.hmac" for part in PARTS))
"""Made at the first start; those that sign are made when they are needed first."""
OTHERS = 0o077


async def look(place: Place) -> Sequence[Finding]:
    """What is missing would be made anew, and then fit nothing that was signed before."""
    return list(_found(place)) if place.made else []


def _found(place: Place) -> Iterator[Finding]:
    folder = place.keys_folder
    for name in ALWAYS:
        if not (folder / name).exists():
            yield Finding(
                "keys",
                f"The key {folder / name} is missing.",
                "Put it back from where you keep the keys; every part must have the same one. What"
                " was signed with it is void if it is gone: a start makes a new one.",
            )
    for path in sorted(folder.glob("*")) if folder.exists() else []:
        if path.stat().st_mode & OTHERS:
            yield _open(path)


def _open(path: Path) -> Finding:
    return Finding(
        "keys",
        f"The key {path} can be read by others than its owner.",
        f"Close it (chmod 600 {path}), and replace it if somebody may have read it.",
    )
