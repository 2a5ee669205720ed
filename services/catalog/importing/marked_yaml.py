"""YAML read with the line of each value, so that a mistake can be pointed at.

A small and strict YAML: plain scalars are text but for whole numbers, `true`, `false` and `null`
(so `no` and `1.10` stay what was typed), a key stands once, and there are no tags. Anchors and
aliases serve as usual.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]

MOST_CHARACTERS = 1_000_000
MOST_VALUES = 100_000  # aliases counted each time, so that they can't swell without end
DEEPEST = 50

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_KINDS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a file, where, and how to mend it."""

    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what} {self.mend}".rstrip()


class BadYAML(Exception):
    """Text that is no YAML of ours."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


@dataclass(frozen=True)
class Marked:
    """A document's value, and the line of each part of it by its path."""

    value: Any
    lines: Mapping[Path, int]

    def path_of(self, steps: Sequence[str | int]) -> Path:
        """The steps that lead somewhere in the document, without those that only a reader made."""
        path: Path = ()
        for step in steps:
            if (*path, step) in self.lines:
                path = (*path, step)
        return path

    def line_of(self, path: Path) -> int:
        """The line of what stands at the path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_marked(text: str) -> Marked:
    """The document in `text`. Raises BadYAML for the first thing that keeps it from being read."""
    if len(text) > MOST_CHARACTERS:
        raise BadYAML(
            Mistake(1, f"The file is longer than {MOST_CHARACTERS:,} characters.", "Shorten it.")
        )
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        raise BadYAML(_syntax(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"The character U+{int(error.character):04X} can't stand in YAML."
        raise BadYAML(Mistake(line, what, "Take it out.")) from error
    except RecursionError as error:
        raise BadYAML(Mistake(1, "The file is nested too deeply.", "Flatten it.")) from error
    if root is None:
        raise BadYAML(Mistake(1, "The file is empty.", "Begin with `language:`."))
    reader = _Reader()
    value = reader.value(root, ())
    return Marked(value, reader.lines)


class _Reader:
    """Turns nodes into values, noting their lines."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self._around: list[int] = []  # ids of the nodes that are being read
        self._count = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The node's value."""
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._count += 1
        if id(node) in self._around:
            raise BadYAML(Mistake(line, "An alias stands inside its own anchor.", "Take it out."))
        if self._count > MOST_VALUES or len(path) > DEEPEST:
            raise BadYAML(Mistake(line, "The file is too large or too deep.", "Use less aliases."))
        if node.tag not in _KINDS:
            raise BadYAML(
                Mistake(line, f"The tag `{node.tag}` is not known here.", "Take the tag out.")
            )
        self._around.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.value(one, (*path, at)) for at, one in enumerate(node.value)]
            assert isinstance(node, yaml.ScalarNode)
            return _scalar(node)
        finally:
            self._around.pop()

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise BadYAML(Mistake(line, "A key must be a word.", "Check the brackets."))
            name = str(key.value)
            if name in found:
                first = self.lines[(*path, name)]
                raise BadYAML(
                    Mistake(
                        line,
                        f"`{name}` stands here a second time (first on line {first}).",
                        "Keep one of the two.",
                    )
                )
            self.lines[(*path, name)] = line
            found[name] = self.value(value, (*path, name))
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style is not None:  # quoted, or a block: text as it stands
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _NUMBER.fullmatch(text) else text


def _syntax(error: yaml.MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "unreadable"
    what = f"This is no YAML: {problem}."
    if "\\t" in problem:
        return Mistake(mark.line + 1 if mark else 1, what, "Indent with spaces, not with tabs.")
    if "mapping values" in problem:
        mend = "Put a text that holds `: ` between quotes, and check the indentation."
        return Mistake(mark.line + 1 if mark else 1, what, mend)
    return Mistake(
        mark.line + 1 if mark else 1, what, "Check the indentation and the quotes above this line."
    )
