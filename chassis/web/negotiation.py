"""What a browser's Accept-Language asks for (RFC 9110 §12.5.4), of the languages that there are."""

import re
from collections.abc import Sequence

RANGE = re.compile(
    r"(?P<tag>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*q=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.IGNORECASE,
)
MOST_RANGES = 32  # browsers send three or four; what comes after that many is not read


def accepted(header: str, offered: Sequence[str]) -> str | None:
    """The offered language that the reader likes best, or None where they like none.

    `fr` is what `fr-CA` asks for where nothing nearer is offered, and `fr-CA` serves who asks for
    `fr` (RFC 4647 §3.3.1 and §3.4). Of two that are liked alike, the one that is named first; what
    can't be read is passed over.
    """
    ranges = _ranges(header)
    best: tuple[float, int, int] | None = None
    found = None
    for place, language in enumerate(offered):
        weight, named = _liking(language.replace("_", "-").lower(), ranges)
        rank = (weight, -named, -place)
        if weight > 0 and (best is None or rank > best):
            best, found = rank, language
    return found


def _ranges(header: str) -> list[tuple[str, float]]:
    found = []
    for one in header.split(",")[:MOST_RANGES]:
        parsed = RANGE.fullmatch(one.strip())
        if parsed is not None:
            found.append((parsed["tag"].lower(), float(parsed["weight"] or 1)))
    return found


def _liking(tag: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """How much a language is liked, and the place of the range that says so.

    The nearest range counts: the language itself, then one that it is a kind of (`fr` for `fr-CA`),
    then one that is a kind of it; `*` is what no other range speaks of.
    """
    matches = []
    for place, (wanted, weight) in enumerate(ranges):
        if wanted == tag or tag.startswith(f"{wanted}-"):
            matches.append((2 + len(wanted), weight, place))
        elif wanted.startswith(f"{tag}-") and weight > 0:  # to refuse fr-CA is not to refuse fr
            matches.append((2, weight, place))
        elif wanted == "*":
            matches.append((1, weight, place))
    if not matches:
        return 0.0, 0
    _, weight, place = max(matches, key=lambda one: (one[0], one[1], -one[2]))
    return weight, place
