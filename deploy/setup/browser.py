"""Chromium for the browser tests: the machine's, else Debian's package.

As root it is installed. For anyone else it is unpacked with its libraries in `.cache/browser`.
Ubuntu's package is but a pointer to a snap: there Playwright's own build serves.
"""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.setup import debian
from deploy.setup.environment import PROJECT, PYTHON, say
from deploy.setup.problems import Unready

ADDRESS = "GUICHET_TEST_CHROMIUM"
"""Environment: the browser to test with. Set-up hands its own to the tests in it."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")
UNPACKED = PROJECT / ".cache" / "browser"


def provide() -> Path:
    """The browser's program, brought if need be. Raises Unready."""
    if chosen := os.environ.get(ADDRESS):
        return Path(chosen)
    unpacked = UNPACKED / "chromium"
    known = [Path(found) for name in NAMES if (found := shutil.which(name))]
    for program in (*known, unpacked):
        if _works(program):
            return program
    try:
        return _bring(unpacked)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unready(
            "The browser tests need Chromium, which could not be brought: see the lines above, or"
            f" install it with this command, then run this again:\n    {_command()}"
        ) from error


def _bring(unpacked: Path) -> Path:
    if not debian.has_apt():
        return _bring_playwrights()
    if debian.is_root():
        say("Installing Chromium, for the browser tests.")
        debian.install("fonts-dejavu-core")
        if "snap" in debian.candidate("chromium"):
            return _bring_playwrights("--with-deps")
        debian.install(*PACKAGES)
        return Path("/usr/bin/chromium")
    say(f"Unpacking Chromium in {UNPACKED.relative_to(PROJECT)}, for the browser tests.")
    debian.unpack(UNPACKED, *PACKAGES)
    if not (UNPACKED / "usr/lib/chromium/chromium").exists():
        return _bring_playwrights()
    _write_starter(unpacked)
    if not _works(unpacked):
        raise FileNotFoundError(unpacked)
    return unpacked


def _bring_playwrights(*options: str) -> Path:
    say("Bringing Playwright's build of Chromium, for the browser tests.")
    subprocess.run([PYTHON, "-m", "playwright", "install", *options, "chromium"], check=True)
    program = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    said = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    return Path(said.stdout.strip())


def _works(program: Path) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "snap install" not in done.stdout + done.stderr


def _write_starter(path: Path) -> None:
    """A script that runs the unpacked browser on the libraries and fonts unpacked beside it."""
    fonts = UNPACKED / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{UNPACKED}/usr/share/fonts</dir><dir>/usr/share/fonts</dir>"
        f"<cachedir>{UNPACKED}/fonts-cache</cachedir></fontconfig>\n"
    )
    libraries = ":".join(str(folder) for folder in debian.library_folders(UNPACKED))
    path.write_text(
        "#!/bin/sh\n"
        f'export LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
        f'export FONTCONFIG_FILE="{fonts}"\n'
        f'exec "{UNPACKED}/usr/lib/chromium/chromium" "$@"\n'
    )
    path.chmod(0o755)


def _command() -> str:
    if debian.has_apt() and "snap" not in debian.candidate("chromium"):
        return f"sudo apt-get install {' '.join(PACKAGES)}"
    return ".venv/bin/python -m playwright install --with-deps chromium"
