"""One sheet of paper, in a process of its own: an order comes in, a PDF goes out.

Run as a script, never imported by the service: it knows nothing of ours. It may write no file, and
Typst's own folder, the only one that a template could read from, is empty and closed.
"""

import json
import re
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any

import typst

MEMORY_BYTES = 2 << 30
CPU_S = 12
TRIES = 40
PLAIN = re.compile("[^\n\x20-\x7e\xa0-\u017f]")
MARK = "\ufffd"

NO_SHAPE = re.compile(
    r'the text `"(?P<text>.*?)"` could not be displayed|disallowed codepoint `"(?P<code>.*?)"`',
    re.DOTALL,
)
ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def main() -> None:
    """Read the order from stdin, write the PDF to stdout."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    order = json.load(sys.stdin.buffer)
    sys.stdout.buffer.write(made(order))


def made(order: Mapping[str, Any]) -> bytes:
    """The PDF. A text that has no shape in any font is marked instead. Raises TypstError."""
    sheet = order["sheet"]
    for _ in range(TRIES):
        try:
            return _compiled(order, sheet)
        except typst.TypstError as error:
            found = NO_SHAPE.search(str(error))
            if found is None:
                raise
            sheet = without(sheet, unescaped(found["text"] or found["code"] or ""))
    return _compiled(order, plain(sheet))


def plain(sheet: Any) -> Any:
    """The sheet in Latin letters, all else marked: for texts that no other way brings to paper."""
    return mapped(sheet, lambda text: PLAIN.sub(MARK, text))


def _compiled(order: Mapping[str, Any], sheet: object) -> bytes:
    return typst.compile(
        order["template"].encode(),
        root=order["root"],
        font_paths=order["fonts"],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"sheet": json.dumps(sheet)},
        pdf_standards=["ua-1"],
        timestamp=order["timestamp"],
    )


def without(sheet: Any, lost: str) -> Any:
    """The sheet with a mark in the place of that text, wherever it stands."""
    return mapped(sheet, lambda text: text.replace(lost, MARK) if lost else text)


def mapped(sheet: Any, change: Callable[[str], str]) -> Any:
    """The sheet with each of its texts changed."""
    if isinstance(sheet, str):
        return change(sheet)
    if isinstance(sheet, list):
        return [mapped(one, change) for one in sheet]
    if isinstance(sheet, dict):
        return {name: mapped(one, change) for name, one in sheet.items()}
    return sheet


def unescaped(said: str) -> str:
    """A text out of a message that quotes it as Rust does."""
    return ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else LETTERS.get(found[2], found[2]), said
    )


if __name__ == "__main__":
    main()
