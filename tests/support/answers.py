"""Comparing answers: what two of them say once is left out what differs between any two."""

import difflib
import re

import httpx

DIFFERS = (
    (re.compile(r"\b[0-9a-f]{12}\.[\w-]{20,}\.[\w-]{86}"), "«signed»"),
    (re.compile(r"\bheld\.[\w-]+"), "«held»"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "«id»"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "«key»"),
    (re.compile(r'(?<=value=")[\w-]{22}(?=")'), "«key»"),
    (re.compile(r"(?<=guichet-browser=)[\w-]+"), "«browser»"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "«time»"),
    (re.compile(r"\b20\d\d-\d{6}\b"), "«number»"),
)

NOT_COMPARED = {"x-request-id", "date", "content-length"}
"""The length varies with signed statements, which hold instants; the body itself is compared."""

Said = tuple[int, dict[str, str], str]
"""Status, headers and body."""


def masked(text: str, *, echoed: tuple[str, ...] = ()) -> str:
    """The text without ids, keys, signed statements, times, and what was sent with the request."""
    for one in sorted(echoed, key=len, reverse=True):
        if one:
            text = text.replace(one, "«echo»")
    for pattern, name in DIFFERS:
        text = pattern.sub(name, text)
    return text


def said(answer: httpx.Response, *, echoed: tuple[str, ...] = ()) -> Said:
    """What the answer says, so that two may be compared."""
    headers = {
        name: masked(value, echoed=echoed)
        for name, value in answer.headers.items()
        if name not in NOT_COMPARED
    }
    return answer.status_code, headers, masked(answer.text, echoed=echoed)


def difference(expected: Said, found: Said) -> str:
    """The lines in which two answers differ; empty where they are alike."""
    before, after = (
        [str(one[0]), *(f"{name}: {value}" for name, value in one[1].items()), *one[2].split("\n")]
        for one in (expected, found)
    )
    return "\n".join(difflib.unified_diff(before, after, lineterm="", n=0))
