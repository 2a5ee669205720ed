"""The virtual environment `.venv`: made once, brought up to date when the locks change.

Needs Python with pip alone. pip brings uv, by its hashes; uv brings the rest, which takes seconds
where pip takes a third of a minute, but pip does it where uv can't.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.setup import debian
from deploy.setup.problems import Unready

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = PROJECT / "requirements"
RUN = ("run",)
TEST = ("run", "test")
OLDEST = (3, 11)


def make_ready(sets: Sequence[str]) -> None:
    """Have these sets of requirements installed. Where they are, this costs a few milliseconds.

    Raises Unready.
    """
    if sys.version_info < OLDEST:
        raise Unready(
            f"Guichet needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is"
            f" {sys.version.split()[0]}: install a newer one, and `make` will find it."
        )
    missing = [name for name in sets if not _is_installed(name)]
    if not missing:
        return
    if not _venv_works():
        _make_venv()
    say("Installing the locked requirements.")
    with_uv = _bring_uv()
    for name in missing:
        _install(name, with_uv=with_uv)
        _stamp_file(name).write_text(_fingerprint(name))


def say(line: str) -> None:
    """Tell how far we are."""
    print(f"▸ {line}", flush=True)  # noqa: T201 - the person at the terminal reads it


def _fingerprint(name: str) -> str:
    """Changes when what is installed would: the lock's words, and the Python."""
    lock = REQUIREMENTS.joinpath(f"{name}.txt").read_bytes()
    python = f"{sys.version_info.major}.{sys.version_info.minor} {PYTHON}".encode()
    return hashlib.sha256(lock + python).hexdigest()


def _stamp_file(name: str) -> Path:
    return VENV / f"installed-{name}"


def _is_installed(name: str) -> bool:
    try:
        return _stamp_file(name).read_text() == _fingerprint(name) and PYTHON.exists()
    except FileNotFoundError:
        return False


def _venv_works() -> bool:
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    program = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return said.stdout.strip() == wanted


def _make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        _bring_ensurepip()
    say(f"Making the virtual environment {VENV.name} with Python {sys.version.split()[0]}.")
    base = getattr(
        sys, "_base_executable", sys.executable
    )  # not the one in the folder that is cleared
    made = subprocess.run([base, "-m", "venv", "--clear", VENV])
    if made.returncode != 0:
        raise Unready(
            f"The virtual environment could not be made in {VENV}: see the lines above, then run"
            " this again."
        )


def _bring_ensurepip() -> None:
    """Debian ships Python's venv in a package of its own."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not debian.has_apt():
        raise Unready("This Python lacks its module ensurepip: install what brings it, then retry.")
    if not debian.is_root():
        raise Unready(
            f"This Python lacks its module venv; bring it with this command, then run this again:"
            f"\n    sudo apt-get install {package}"
        )
    say(f"Installing {package}, which Debian keeps apart from Python.")
    try:
        debian.install(package)
    except subprocess.CalledProcessError as error:
        raise Unready(
            f"{package} could not be installed: see the lines above, then run this again."
        ) from error


def _bring_uv() -> bool:
    brought = _pip("--quiet", "--requirement", str(REQUIREMENTS / "setup.txt"))
    return brought and _runs(VENV / "bin" / "uv", "--version")


def _install(name: str, *, with_uv: bool) -> None:
    locked = str(REQUIREMENTS / f"{name}.txt")
    command = ["pip", "install", "--require-hashes", "--python", str(PYTHON), "-r", locked]
    if with_uv and _runs(VENV / "bin" / "uv", *command, quiet=False):
        return
    say("Installing with pip alone, which takes a little longer.")
    if not _pip("--progress-bar", "off", "--requirement", locked):
        raise Unready(
            "The requirements could not be installed: see the lines above, check the network and"
            " the disk, then run this again."
        )


def _pip(*arguments: str) -> bool:
    command = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    return _runs(PYTHON, *command, "--require-hashes", *arguments, quiet=False)


def _runs(program: Path, *arguments: str, quiet: bool = True) -> bool:
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=PROJECT,
            env=_environment(),
            stdout=subprocess.DEVNULL if quiet else None,
        )
    except OSError:
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Ours, with the authorities and the index that pip was told of told to uv as well."""
    told = dict(os.environ)
    for theirs, ours in (("PIP_CERT", "SSL_CERT_FILE"), ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")):
        if theirs in told:
            told.setdefault(ours, told[theirs])
    return told
