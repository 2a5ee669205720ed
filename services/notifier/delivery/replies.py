"""What a relay answers, read from its bytes (RFC 5321 §4.2): in order, however they were cut."""

import re
from typing import NamedTuple

# A reply's line. Its end may be a bare LF, which some relays write; more than that is no SMTP.
LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r?\n")

LINE_MOST = 2048
"""Bytes: four times what RFC 5321 §4.5.3.1.5 allows."""

LINES_MOST = 128
"""Of one reply: whoever sends more will not come to an end."""


class Reply(NamedTuple):
    """A reply's code, of its last line, and the words of all."""

    code: int
    words: str


class Garbled(Exception):
    """What came is no reply of SMTP's: nothing that follows can be told apart any more."""


class Replies:
    """Takes bytes as they come and gives the replies that are whole."""

    def __init__(self) -> None:
        self.garbled = False
        """Has something come that is no reply? What came after it is not read."""
        self._rest = b""  # of a line that has not ended
        self._words: list[bytes] = []  # of a reply that has not

    @property
    def is_between(self) -> bool:
        """Has all that came been given, with nothing begun?"""
        return not (self.garbled or self._rest or self._words)

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that end in these bytes."""
        found: list[Reply] = []
        if self.garbled:
            return found
        data = self._rest + data if self._rest else data
        start = 0
        while line := LINE.match(data, start):
            if line.end() - start > LINE_MOST or len(self._words) == LINES_MOST:
                self.garbled = True
                return found
            start = line.end()
            code, more, words = line.groups(b"")
            self._words.append(words)
            if more != b"-":
                found.append(Reply(int(code), b"\n".join(self._words).decode("utf-8", "replace")))
                self._words = []
        self._rest = data[start:]
        self.garbled = len(self._rest) > LINE_MOST or b"\n" in self._rest
        return found
