"""What can keep the embedded server from starting, each told in a sentence with what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
OTHER_FOLDER = "set GUICHET_DATA_DIR to another folder"


class CannotStart(Exception):
    """Its message is one sentence for the person at the terminal: what is wrong, what to do."""


def disk_full(folder: Path) -> CannotStart:
    """The disk has no room left, as a write or a program found out."""
    return CannotStart(f"The disk that holds {folder} is full: free some space, or {OTHER_FOLDER}.")


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Within, an error of the file system becomes a sentence about the data folder."""
    try:
        yield
    except OSError as error:
        where = error.filename2 or error.filename or folder
        if error.errno in FULL:
            raise disk_full(folder) from error
        if error.errno in FORBIDDEN:
            raise CannotStart(
                f"{where} can't be written by this user: give it the right to, or {OTHER_FOLDER}."
            ) from error
        raise CannotStart(
            f"The data folder {folder} can't be used ({where}: {error.strerror}):"
            f" mend this, or {OTHER_FOLDER}."
        ) from error
