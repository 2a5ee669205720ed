"""What browsers are sent beside our own files: made once, and again when `deploy/assets` changes.

Pages work without: where npm's registry can't be reached, `run` and `test` say so and go on.
"""

import hashlib
import subprocess
from pathlib import Path

from deploy.setup import environment
from deploy.setup.environment import PROJECT, PYTHON, say
from deploy.setup.problems import Unready

SOURCES = PROJECT / "deploy" / "assets"
VENDOR = PROJECT / "chassis" / "web" / "static" / "vendor"
SET = ("assets",)
PATIENCE_S = 180


def make_ready() -> None:
    """Have them made. Where they are, this costs a millisecond. Raises Unready."""
    if are_made():
        return
    say("Bringing htmx, hotkey and the font, for pages and papers.")
    environment.make_ready(SET)
    try:
        made = subprocess.run(
            [PYTHON, "-m", "deploy.assets.make"], cwd=PROJECT, timeout=PATIENCE_S
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        made = 1
    if made != 0:
        raise Unready(
            "What npm brings could not be fetched: see the lines above, check the network, then"
            " run this again:\n    make assets"
        )


def provide() -> None:
    """As `make_ready`, but what is missing is only told."""
    try:
        make_ready()
    except Unready:
        say(
            "Going on without htmx and the font: npm's registry could not be reached. Pages work"
            " with the system's font; `make assets` tries again."
        )


def are_made() -> bool:
    """Do they stand there, from the sources as they are now?"""
    try:
        return (VENDOR / ".made").read_text() == fingerprint(SOURCES)
    except FileNotFoundError:
        return False


def fingerprint(sources: Path) -> str:
    """Changes when what is made would: npm's lock, and the program that makes it."""
    parts = (sources / "package-lock.json", sources / "make.py")
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
