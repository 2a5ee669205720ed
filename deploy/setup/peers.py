"""What the benchmarks measure against: Postfix's smtp-source and smtp-sink, nginx, amqp-publish.

The machine's, else Debian's packages unpacked in `.cache/peers`, for root too: nothing is installed
and so no service is started. One that can't be brought is missed by its comparison alone.
"""

import shutil
import subprocess
from pathlib import Path

from deploy.setup import debian
from deploy.setup.environment import PROJECT, say

PROGRAMS = {
    "smtp-source": "postfix",
    "smtp-sink": "postfix",
    "nginx": "nginx-light",
}
"""By program, the package that brings it. pgbench comes with the requirements."""
UNPACKED = PROJECT / ".cache" / "peers"
FOLDERS = ("usr/sbin", "usr/bin")


def provide() -> None:
    """Bring what is missing, if that can be done; else say so."""
    missing = [name for name in PROGRAMS if find(name) is None]
    packages = sorted({PROGRAMS[name] for name in missing})
    if missing and debian.has_apt():
        say(f"Unpacking {', '.join(packages)} in {UNPACKED.relative_to(PROJECT)}, to compare with.")
        try:
            debian.unpack(UNPACKED, *packages)
        except (OSError, subprocess.CalledProcessError) as error:
            say(f"They could not be brought ({type(error).__name__}): see the lines above.")
    if missing := [name for name in PROGRAMS if find(name) is None]:
        say(f"Nothing is compared with {', '.join(missing)}, which are not here.")


def find(name: str) -> Path | None:
    """The program, of the machine or unpacked, if it is there."""
    if known := shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"):
        return Path(known)
    return next((path for folder in FOLDERS if (path := UNPACKED / folder / name).exists()), None)


def required(name: str) -> Path:
    """The program. Raises LookupError, which says how it is brought."""
    found = find(name)
    if found is None:
        raise LookupError(f"{name} is not here: make bench unpacks it, or install {PROGRAMS[name]}")
    return found


def libraries() -> str:
    """A value of LD_LIBRARY_PATH for what was unpacked: Postfix keeps its own apart."""
    folders = [UNPACKED / "usr/lib/postfix", *debian.library_folders(UNPACKED)]
    return ":".join(str(one) for one in folders if one.exists())
