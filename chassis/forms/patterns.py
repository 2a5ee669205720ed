"""Patterns that a catalogue may ask a text to fit: a small dialect, matched in bounded time.

Letters stand for themselves, `.` for any character; `[a-z0-9]` and `[^…]` are classes, `\\d`,
`\\w` and `\\s` the usual ones (of ASCII); `( … )` are groups, `|` is or; `?`, `*`, `+`, `{2}`,
`{2,}` and `{2,5}` repeat. A pattern fits the whole text. There is nothing else: no looking around,
no backward references. It is followed state by state, as Thompson has it
(https://swtch.com/~rsc/regexp/), not by trying one way after another: whatever an author writes, a
text costs its length times `MOST_STATES` at the most.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

LONGEST_PATTERN = 200
LONGEST_TEXT = 500
"""A longer text fits no pattern."""

MOST_STATES = 500

_SPECIAL = frozenset(r"\.[](){}|?*+^$")
_CLASSES: dict[str, Callable[[str], bool]] = {
    "d": lambda char: char in "0123456789",
    "w": lambda char: char == "_" or (char.isascii() and char.isalnum()),
    "s": lambda char: char in " \t\n",
}

Test = Callable[[str], bool]


class BadPattern(ValueError):
    """Text that is no pattern of this dialect: why not, in a sentence."""


class _Part:
    """A part of a program: where one enters, and the ends to be led on."""

    def __init__(self, start: int, ends: list[tuple[int, int]]) -> None:
        self.start = start
        self.ends = ends  # (state, which of its ways)


def check(pattern: str) -> None:
    """Raise BadPattern unless it is a pattern of this dialect, of a bearable size."""
    _compiled(pattern)


def fits(pattern: str, text: str) -> bool:
    """Does the whole text fit the pattern? Raises BadPattern."""
    program = _compiled(pattern)
    return len(text) <= LONGEST_TEXT and program.fits(text)


class _Program:
    """States: one that tests a character and leads on, or one that only leads on, in two ways."""

    def __init__(self) -> None:
        self.tests: list[Test | None] = []
        self.ways: list[list[int]] = []
        self.start = 0
        self.end = 0

    def state(self, test: Test | None, ways: Iterable[int]) -> int:
        """A further state's number."""
        if len(self.tests) >= MOST_STATES:
            raise BadPattern("It repeats too much.")
        self.tests.append(test)
        self.ways.append(list(ways))
        return len(self.tests) - 1

    def lead(self, ends: list[tuple[int, int]], to: int) -> None:
        """Lead the ends on to a state."""
        for state, way in ends:
            self.ways[state][way] = to

    def fits(self, text: str) -> bool:
        """Does one way through the states take the whole text?"""
        at = self._closure([self.start])
        for char in text:
            at = self._closure(
                self.ways[state][0]
                for state in at
                if (test := self.tests[state]) is not None and test(char)
            )
            if not at:
                return False
        return self.end in at

    def _closure(self, states: Iterable[int]) -> set[int]:
        """The states, and those that they lead on to without a character."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found.add(state)
            if self.tests[state] is None:
                waiting.extend(self.ways[state])
        return found


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> _Program:
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"It is longer than {LONGEST_PATTERN} characters.")
    return _Reader(pattern).program()


class _Reader:
    """Reads a pattern into a program."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self._made = _Program()

    def program(self) -> _Program:
        """The whole pattern's."""
        part = self._either()
        if self._at < len(self._pattern):
            raise BadPattern("A `)` closes nothing.")
        self._made.start = part.start
        self._made.end = self._made.state(None, ())
        self._made.lead(part.ends, self._made.end)
        return self._made

    def _either(self) -> _Part:
        part = self._sequence()
        while self._next("|"):
            other = self._sequence()
            fork = self._made.state(None, (part.start, other.start))
            part = _Part(fork, part.ends + other.ends)
        return part

    def _sequence(self) -> _Part:
        part = self._nothing()
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            part = self._joined(part, self._repeated())
        return part

    def _repeated(self) -> _Part:
        start = self._at
        part = self._one()
        end = self._at
        least, most = self._times()
        if (least, most) == (1, 1):
            return part
        if self._at < len(self._pattern) and self._pattern[self._at] in "?*+{":
            raise BadPattern("Two repetitions follow each other.")
        after = self._at
        copies = [part]
        while len(copies) < max(least, most or 0, 1):
            self._at = start
            copies.append(self._one())
            assert self._at == end
        self._at = after
        return self._times_over(copies, least, most)

    def _times_over(self, copies: list[_Part], least: int, most: int | None) -> _Part:
        """The copies one after the other: those behind the least may be passed over."""
        made, whole = self._made, self._nothing()
        for copy in copies[:least]:
            whole = self._joined(whole, copy)
        if most is None:
            last = copies[-1]
            loop = made.state(None, (last.start, -1))
            made.lead(last.ends, loop)
            if least:
                return _Part(whole.start, [(loop, 1)])
            return _Part(loop, [(loop, 1)])
        passed: list[tuple[int, int]] = []
        for copy in copies[least:most]:
            fork = made.state(None, (copy.start, -1))
            passed.append((fork, 1))
            whole = self._joined(whole, _Part(fork, copy.ends))
        return _Part(whole.start, whole.ends + passed)

    def _times(self) -> tuple[int, int | None]:
        if self._next("?"):
            return 0, 1
        if self._next("*"):
            return 0, None
        if self._next("+"):
            return 1, None
        if not self._next("{"):
            return 1, 1
        inside, closed, _ = self._pattern[self._at :].partition("}")
        least, comma, most = inside.partition(",")
        self._at += len(inside) + 1
        if not closed or not _number(least) or not (_number(most) or not most):
            raise BadPattern("Between `{` and `}` stand one number or two.")
        bounds = int(least), (int(most) if most else None if comma else int(least))
        if bounds[1] is not None and not bounds[0] <= bounds[1] > 0:
            raise BadPattern("Between `{` and `}` the second number is not the greater one.")
        return bounds

    def _one(self) -> _Part:
        char = self._char()
        if char == "(":
            return self._group()
        if char == "[":
            return self._test(self._class())
        if char == "\\":
            return self._test(self._escaped())
        if char == ".":
            return self._test(lambda one: one != "\n")
        if char in _SPECIAL:
            raise BadPattern(
                f"`{char}` stands where it means nothing; write `\\{char}` for itself."
            )
        return self._test(lambda one: one == char)

    def _group(self) -> _Part:
        if self._next("?"):
            raise BadPattern("`(?` is not known here.")
        self._depth += 1
        if self._depth > 20:
            raise BadPattern("It is nested too deeply.")
        part = self._either()
        if not self._next(")"):
            raise BadPattern("A `(` is not closed.")
        self._depth -= 1
        return part

    def _class(self) -> Test:
        excluded = self._next("^")
        tests: list[Test] = []
        while not self._next("]"):
            tests.append(self._class_part())
        if not tests:
            raise BadPattern("A class is empty.")
        return lambda one: any(test(one) for test in tests) is not excluded

    def _class_part(self) -> Test:
        char = self._char()
        if char == "[":
            raise BadPattern("A `[` stands within a class; write `\\[` for itself.")
        if char == "\\":
            return self._escaped()
        if not self._pattern.startswith("-", self._at) or self._pattern.startswith("-]", self._at):
            return lambda one: one == char
        self._at += 1
        last = self._char()
        if last == "\\" or last < char:
            raise BadPattern(f"`{char}-{last}` is no range.")
        return lambda one: char <= one <= last

    def _escaped(self) -> Test:
        char = self._char()
        if char in _CLASSES:
            return _CLASSES[char]
        if char.isalnum():
            raise BadPattern(f"`\\{char}` is not known here.")
        return lambda one: one == char

    def _test(self, test: Test) -> _Part:
        state = self._made.state(test, (-1,))
        return _Part(state, [(state, 0)])

    def _nothing(self) -> _Part:
        state = self._made.state(None, (-1,))
        return _Part(state, [(state, 0)])

    def _joined(self, first: _Part, second: _Part) -> _Part:
        self._made.lead(first.ends, second.start)
        return _Part(first.start, second.ends)

    def _char(self) -> str:
        if self._at >= len(self._pattern):
            raise BadPattern("It ends in the middle.")
        self._at += 1
        return self._pattern[self._at - 1]

    def _next(self, char: str) -> bool:
        found = self._pattern.startswith(char, self._at)
        self._at += len(char) if found else 0
        return found


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3
