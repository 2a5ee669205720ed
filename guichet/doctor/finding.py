"""What the doctor knows of the installation, and what a check tells."""

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.settings import Settings
from chassis.work import Database
from guichet.parts import SERVICES


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: the cause in a sentence, and what to do in another."""

    check: str
    cause: str
    remedy: str


@dataclass(frozen=True)
class Place:
    """An installation as its settings describe it, before any of its databases is asked."""

    settings: Settings
    data_dir: Path
    runs: bool
    """Does a process have the data folder? Where the parts are apart, none needs to."""

    @property
    def keys_folder(self) -> Path:
        """Where the keys stand."""
        return self.data_dir / "keys"

    @property
    def apart(self) -> bool:
        """Are the parts apart, on databases that the settings name?"""
        return any(self.settings.postgres_url_of(name) for name in SERVICES)

    @property
    def made(self) -> bool:
        """Was it ever started? A folder that is yet to be made lacks nothing."""
        return self.apart or os.path.exists(self.data_dir / "postgres")  # noqa: PTH110  # False, too, where it can't be seen


@dataclass(frozen=True)
class Within:
    """The same, with the databases of those services that could be reached."""

    place: Place
    databases: Mapping[str, Database]


Look = Callable[[Place], Coroutine[Any, Any, Sequence[Finding]]]
LookWithin = Callable[[Within], Coroutine[Any, Any, Sequence[Finding]]]
