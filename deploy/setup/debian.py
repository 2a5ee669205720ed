"""Debian's packages: installed as root, or unpacked in a folder of our own by anyone else."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

QUIET = ("-qq", "-o", "Dpkg::Use-Pty=0")


def has_apt() -> bool:
    """Is this Debian, or one of its kind?"""
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def is_root() -> bool:
    """May we install packages?"""
    return os.geteuid() == 0


def install(*packages: str) -> None:
    """Install packages, as root. Raises CalledProcessError."""
    _update()
    _apt("install", "--yes", "--no-install-recommends", *packages)


def candidate(package: str, options: Sequence[str] = ()) -> str:
    """The version that would be installed; empty where there is none."""
    said = subprocess.run(
        ["apt-cache", *options, "policy", package], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.strip() for line in said.splitlines()]
    found = [line.split()[1] for line in lines if line.startswith("Candidate:")]
    return found[0] if found and found[0] != "(none)" else ""


def unpack(into: Path, *packages: str) -> None:
    """Download packages, and all that they need beyond what is installed, and unpack them.

    Needs no rights: apt gets lists and a cache of its own. Raises CalledProcessError.
    """
    shutil.rmtree(into, ignore_errors=True)
    state, downloads = into / "apt", into / "downloads"
    for folder in (
        state / "lists" / "partial",
        state / "cache" / "archives" / "partial",
        downloads,
    ):
        folder.mkdir(parents=True)
    options = own_options(state)
    _apt("update", options=options)
    planned = subprocess.run(
        ["apt-get", *options, "--simulate", "--no-install-recommends", "install", *packages],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]
    _apt("download", *names, options=options, cwd=downloads)
    for archive in sorted(downloads.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", archive, into], check=True)
    shutil.rmtree(downloads)
    shutil.rmtree(state)


def own_options(state: Path) -> list[str]:
    """Options by which apt works in a folder of ours, on the machine's sources and packages."""
    return [
        *("-o", f"Dir::State={state}"),
        *("-o", f"Dir::State::Lists={state / 'lists'}"),
        *("-o", "Dir::State::Status=/var/lib/dpkg/status"),
        *("-o", f"Dir::Cache={state / 'cache'}"),
        *("-o", "APT::Sandbox::User="),
        *("-o", "Debug::NoLocking=1"),
    ]


def library_folders(root: Path) -> list[Path]:
    """Where the unpacked libraries are: some packages keep theirs in a folder of their own."""
    libraries = root.glob(f"**/lib/{platform.machine()}-linux-gnu/**/lib*.so*")
    return sorted({path.parent for path in libraries}, key=lambda path: (len(path.parts), path))


@cache
def _update() -> None:
    _apt("update")


def _apt(*arguments: str, options: Sequence[str] = (), cwd: Path | None = None) -> None:
    """Run apt-get, which is heard only when it fails."""
    done = subprocess.run(
        ["apt-get", *QUIET, *options, *arguments],
        cwd=cwd,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        done.check_returncode()
