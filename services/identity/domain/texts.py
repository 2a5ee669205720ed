"""The texts that a tenant writes, cut into blocks: a heading, a list or a paragraph of lines."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Block:
    """What stands between two blank lines."""

    kind: Literal["heading", "list", "paragraph"]
    lines: tuple[str, ...]


def blocks(text: str) -> list[Block]:
    """`## ` begins a heading, `- ` each entry of a list; all else is a paragraph.

    Markup stays text: a tenant's words are never read as HTML.
    """
    return [
        _block(part.splitlines())
        for part in text.replace("\r\n", "\n").split("\n\n")
        if part.strip()
    ]


def _block(lines: list[str]) -> Block:
    said = [line.strip() for line in lines if line.strip()]
    if len(said) == 1 and said[0].startswith("## "):
        return Block("heading", (said[0].removeprefix("## ").strip(),))
    if all(line.startswith("- ") for line in said):
        return Block("list", tuple(line.removeprefix("- ").strip() for line in said))
    return Block("paragraph", tuple(said))
