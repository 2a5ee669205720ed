"""The press: makes a PDF of a request, in a process of its own that ends with the sheet.

The texts reach Typst as JSON, never as markup; the process can open no file of ours, write none,
and is stopped after some seconds. Few print at once, and overload is told early.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path

import structlog

from chassis.problems import Unavailable
from services.requests.following.sheet import Sheet

log = structlog.get_logger()

PRESSES = 2
MOST_WAITING = 20
WITHIN_S = 15.0

FONTS = ("AtkinsonHyperlegibleNext-Regular.ttf", "AtkinsonHyperlegibleNext-Bold.ttf")
OWN_FAMILY = "Atkinson Hyperlegible Next"
INNATE_FAMILIES = ("Libertinus Serif", "DejaVu Sans Mono")
"""Fonts that come with Typst: where `make assets` could not bring ours, and for what it lacks."""

_waiting = 0
_presses: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


async def printed(sheet: Sheet) -> bytes:
    """The sheet as a tagged PDF (PDF/UA-1). Raises Unavailable when too many wait, or it fails."""
    global _waiting
    if _waiting >= MOST_WAITING:
        raise Unavailable
    _waiting += 1
    try:
        async with _semaphore():
            return await _print(sheet)
    finally:
        _waiting -= 1


async def _print(sheet: Sheet) -> bytes:
    fonts = _fonts()
    texts = asdict(sheet)
    texts["fonts"] = [OWN_FAMILY, *INNATE_FAMILIES] if fonts else list(INNATE_FAMILIES)
    order = {
        "template": _template(),
        "fonts": fonts,
        "timestamp": int(texts.pop("made_at").timestamp()),
        "sheet": texts,
    }
    with tempfile.TemporaryDirectory(prefix="guichet-press-") as closed:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(resources.files(__package__) / "press_worker.py"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=closed,
            env={},
            start_new_session=True,  # Ctrl-C is ours: what is under way is finished first
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                made, said = await worker.communicate(
                    json.dumps({**order, "root": closed}).encode()
                )
        except TimeoutError:
            log.error("paper_failed", cause="timeout", number=sheet.number)
            raise Unavailable from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()
    if worker.returncode != 0 or not made.startswith(b"%PDF-"):
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        # Its message may quote the text: only the kind of error is ours to log.
        log.error("paper_failed", cause=last.partition(":")[0][:80], number=sheet.number)
        raise Unavailable
    return made


def _semaphore() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    if loop not in _presses:
        _presses.clear()
        _presses[loop] = asyncio.Semaphore(PRESSES)
    return _presses[loop]


@cache
def _template() -> str:
    return (resources.files(__package__) / "templates" / "paper.typ").read_text("utf-8")


def _fonts() -> list[str]:
    """The font files that `make assets` made, or none."""
    folder = Path(str(resources.files("chassis.web") / "static" / "vendor" / "fonts"))
    found = [folder / name for name in FONTS]
    return [str(folder)] if all(one.is_file() for one in found) else []
