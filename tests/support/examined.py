"""Installations for `guichet doctor` to look at, and what it says of them."""

from pathlib import Path

from chassis.settings import Settings
from guichet.doctor.examining import examine
from tests.support.installation import free_port


def told(settings: Settings) -> dict[str, str]:
    """By check what the doctor says of it, and what to do."""
    return {one.check: f"{one.cause} {one.remedy}" for one in examine(settings)}


def an_installation(place: Path) -> Settings:
    """An installation that is yet to be made, on free ports."""
    place.chmod(0o711)
    return Settings(
        data_dir=place / "data",
        http_port=free_port(),
        smtp_port=free_port(),
        mailbox_port=free_port(),
    )
