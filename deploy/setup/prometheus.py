"""What the tests of the metrics need: Prometheus and its promtool.

The machine's, else Debian's package, unpacked in `.cache/prometheus`, for root too: it is one
program that needs nothing around it, and what is not installed starts no service.
"""

import shutil
import subprocess
from pathlib import Path

from deploy.setup import debian
from deploy.setup.environment import PROJECT, say
from deploy.setup.problems import Unready

PROGRAMS = {"prometheus": "GUICHET_TEST_PROMETHEUS", "promtool": "GUICHET_TEST_PROMTOOL"}
"""By program, where the tests' environment names it."""
PACKAGE = "prometheus"
UNPACKED = PROJECT / ".cache" / "prometheus"


def provide() -> dict[str, str]:
    """What the tests' environment must hold, brought to the machine if need be. Raises Unready."""
    if None in (found := _found()).values() and debian.has_apt():
        say(f"Unpacking {PACKAGE} in {UNPACKED.relative_to(PROJECT)}, for the tests.")
        try:
            debian.unpack(UNPACKED, PACKAGE)
        except (OSError, subprocess.CalledProcessError) as error:
            raise _unready() from error
        found = _found()
    named = {PROGRAMS[name]: str(path) for name, path in found.items() if path is not None}
    if len(named) < len(PROGRAMS):
        raise _unready()
    return named


def _found() -> dict[str, Path | None]:
    return {name: find(name) for name in PROGRAMS}


def find(name: str) -> Path | None:
    """The program, of the machine or unpacked, if it is there."""
    unpacked = UNPACKED / "usr" / "bin" / name
    if known := shutil.which(name):
        return Path(known)
    return unpacked if unpacked.exists() else None


def _unready() -> Unready:
    return Unready(
        "The tests of the metrics need Prometheus and its promtool, which could not be brought: see"
        " the lines above, or install them with this command, then run this again:\n"
        f"    sudo apt-get install --no-install-recommends {PACKAGE}"
    )
