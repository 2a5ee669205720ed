"""What the browser tests need: Chromium, and what Playwright's driver, which is Node.js, lacks.

Chromium is the machine's, else Debian's package: installed as root, unpacked with its libraries in
`.cache/browser` for anyone else. Ubuntu's package is but a pointer to a snap: there Playwright's
own build serves.
"""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.setup import debian
from deploy.setup.environment import PROJECT, PYTHON, VENV, say
from deploy.setup.problems import Unready

CHROMIUM = "GUICHET_TEST_CHROMIUM"
"""In the environment: the browser to test with. Set-up hands its own to the tests in it."""
DRIVER = "PLAYWRIGHT_NODEJS_PATH"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_PACKAGES = ("chromium", "fonts-dejavu-core")
DRIVER_PACKAGE = "libatomic1"
UNPACKED = PROJECT / ".cache" / "browser"
NODE = UNPACKED / "node"


def provide() -> dict[str, str]:
    """What the tests' environment must hold, brought to the machine if need be. Raises Unready."""
    driver, chromium = _driver(), _chromium()
    packages = [*([] if driver else [DRIVER_PACKAGE]), *([] if chromium else CHROMIUM_PACKAGES)]
    try:
        if packages:
            _bring(packages)
        chromium = chromium or _chromium() or _bring_playwrights()
        driver = driver or _driver()
    except (OSError, subprocess.CalledProcessError) as error:
        raise _unready(packages) from error
    if driver is None:
        raise _unready(packages)
    return {CHROMIUM: str(chromium), DRIVER: str(driver)}


def _chromium() -> Path | None:
    """The browser that is there and starts."""
    if chosen := os.environ.get(CHROMIUM):
        return Path(chosen)
    known = [Path(found) for name in NAMES if (found := shutil.which(name))]
    return next(filter(_works, [*known, UNPACKED / "chromium"]), None)


def _driver() -> Path | None:
    """The Node.js that came with Playwright, or a script that starts it, if either works."""
    return next(filter(_works, [*_bundled_nodes(), NODE]), None)


def _bundled_nodes() -> list[Path]:
    return list(VENV.glob("lib/*/site-packages/playwright/driver/node"))


def _works(program: Path) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "snap install" not in done.stdout + done.stderr


def _bring(packages: list[str]) -> None:
    """Debian's packages, where there is Debian."""
    if not debian.has_apt():
        return
    if debian.is_root():
        say(f"Installing {' and '.join(packages)}, for the browser tests.")
        debian.install(*packages)
        return
    say(f"Unpacking {' and '.join(packages)} in {UNPACKED.relative_to(PROJECT)}, for the tests.")
    debian.unpack(UNPACKED, *packages)
    _write_starter(UNPACKED / "chromium", UNPACKED / "usr/lib/chromium/chromium")
    for node in _bundled_nodes():
        _write_starter(NODE, node)


def _bring_playwrights() -> Path:
    say("Bringing Playwright's build of Chromium, for the browser tests.")
    options = ["--with-deps"] if debian.has_apt() and debian.is_root() else []
    subprocess.run([PYTHON, "-m", "playwright", "install", *options, "chromium"], check=True)
    program = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    said = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    return Path(said.stdout.strip())


def _write_starter(path: Path, program: Path) -> None:
    """A script that runs a program on the libraries and fonts that were unpacked."""
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
        f'exec "{program}" "$@"\n'
    )
    path.chmod(0o755)


def _unready(packages: list[str]) -> Unready:
    command = f"sudo apt-get install {' '.join(packages)}"
    if not debian.has_apt() or "snap" in debian.candidate("chromium"):
        command = ".venv/bin/python -m playwright install --with-deps chromium"
    return Unready(
        "The browser tests need Chromium and what it runs on, which could not be brought: see the"
        f" lines above, or install them with this command, then run this again:\n    {command}"
    )
