"""Comparing answers: what two of them say once is left out what differs between any two."""

import re

import httpx

DIFFERS = (
    (re.compile(r"\b[0-9a-f]{12}\.[\w-]{20,}\.[\w-]{86}"), "«signed»"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "«id»"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "«key»"),
    (re.compile(r'(?<=value=")[\w-]{22}(?=")'), "«key»"),
    (re.compile(r"(?<=guichet-browser=)[\w-]+"), "«browser»"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "«time»"),
)

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
        if name not in {"x-request-id", "date"}
    }
    return answer.status_code, headers, masked(answer.text, echoed=echoed)
