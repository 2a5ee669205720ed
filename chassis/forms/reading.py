"""What was typed, as the answer that a question takes, or the sentence that says what to do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from chassis import clock
from chassis.forms import patterns
from chassis.forms.values import (
    ADDRESS_PARTS,
    LONGEST,
    LONGEST_PARTS,
    MOST_FILES,
    NO,
    TICKED,
    Address,
    Answer,
    Message,
    lines_of,
)
from chassis.words import N_
from contracts.forms import TODAY, AttachedFile, Field
from contracts.words import Text

_FARTHEST_AHEAD = timedelta(hours=14)
_FARTHEST_BEHIND = timedelta(hours=12)
"""How far the clocks of the earth are from UTC: whoever writes `today` is believed anywhere."""


@dataclass(frozen=True)
class Reading:
    """What answers are read with: files that may be attached, and the day (none: the clock's)."""

    files: Mapping[UUID, AttachedFile] = field(default_factory=dict)
    today: date | None = None

    def first_today(self) -> date:
        """The earliest day that is still today somewhere."""
        return self.today or (clock.now() - _FARTHEST_BEHIND).date()

    def last_today(self) -> date:
        """The latest day that is today somewhere already."""
        return self.today or (clock.now() + _FARTHEST_AHEAD).date()


class Mistake(Exception):
    """What can't be an answer: what to do, by the name of the input."""

    def __init__(self, messages: Mapping[str, Message]) -> None:
        super().__init__(", ".join(messages))
        self.messages = messages


def answer_to(one: Field, said: Mapping[str, str], reading: Reading) -> Answer | None:
    """The typed answer, or None where the question may be and was left open. Raises Mistake.

    `said` are the cleaned values of the question's inputs.
    """
    if one.kind == "address":
        return _address(one, said)
    value = said[one.key]
    try:
        return _answer(one, value, reading)
    except _Refusal as refusal:
        raise Mistake({one.key: refusal.message}) from refusal


class _Refusal(Exception):
    def __init__(self, text: Text, label: Text | None = None, **facts: object) -> None:
        super().__init__()
        self.message = Message(text, facts, label)


def _answer(one: Field, value: str, reading: Reading) -> Answer | None:
    if one.kind == "file":
        return _files(one, value, reading)
    if not value or (one.kind == "checkbox" and value != TICKED):
        if one.required:
            raise _missing(one)
        return False if one.kind == "checkbox" else None
    if one.kind != "choices":
        _check_length(one, value)
    if one.kind in ("date", "time"):
        return _within(one, _READERS[one.kind](one, value), reading)
    return _READERS[one.kind](one, value)


def _check_length(one: Field, value: str) -> None:
    longest = one.max_length or LONGEST.get(one.kind, 200)
    if len(value) > longest:
        raise _Refusal(
            N_("Shorten “%(label)s” to %(longest)s characters."), one.label, longest=longest
        )
    if one.min_length is not None and len(value) < one.min_length:
        raise _Refusal(
            N_("Write “%(label)s” with %(shortest)s characters at least."),
            one.label,
            shortest=one.min_length,
        )


def _missing(one: Field) -> _Refusal:
    if one.missing is not None:
        return _Refusal(one.missing)
    if one.kind in ("choice", "choices", "yes_no"):
        return _Refusal(N_("Choose an answer to “%(label)s”."), one.label)
    if one.kind == "checkbox":
        return _Refusal(N_("Tick “%(label)s” to go on."), one.label)
    if one.kind == "file":
        return _Refusal(N_("Attach a file to “%(label)s”."), one.label)
    return _Refusal(N_("Fill in “%(label)s”."), one.label)


def _text(one: Field, value: str) -> Answer:
    if one.pattern is not None and not patterns.fits(one.pattern, value):
        if one.pattern_words is not None:
            raise _Refusal(one.pattern_words)
        raise _Refusal(N_("Write “%(label)s” in the form that is asked for."), one.label)
    return value


_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def _email(_one: Field, value: str) -> Answer:
    """A dot-atom at a domain of two labels or more (RFC 5321 §4.1.2), as it was typed."""
    local, _, domain = value.rpartition("@")
    try:
        labels = domain.encode("idna").decode("ascii").split(".")
    except UnicodeError:
        labels = []
    if not (
        len(local) <= 64
        and _LOCAL_PART.fullmatch(local)
        and "=?" not in local  # an encoded word has no place in an address (RFC 2047 §5)
        and len(labels) >= 2
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    ):
        raise _Refusal(N_("Give a whole email address, such as name@example.fr."))
    return value


def _phone(_one: Field, value: str) -> Answer:
    """Ten digits (France and its overseas numbers), or + and the country's code."""
    number = re.sub(r"[\s.\-/()]", "", value.replace("(0)", ""))
    if number.startswith("00"):
        number = "+" + number[2:]
    if re.fullmatch(r"\+330?[1-9][0-9]{8}", number, re.ASCII):
        number = "0" + number[-9:]
    if not re.fullmatch(r"0[1-9][0-9]{8}|\+[1-9][0-9]{6,14}", number, re.ASCII):
        raise _Refusal(
            N_("Give a phone number of ten digits, or one that starts with + and a code.")
        )
    return number


def _number(one: Field, value: str) -> Answer:
    """Decimal comma or point; blanks between groups of digits."""
    plain = re.sub(r"\s", "", value).replace("−", "-").replace(",", ".")
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", plain, re.ASCII):
        raise _Refusal(N_("Give “%(label)s” in digits."), one.label)
    try:
        number = Decimal(plain)
    except InvalidOperation as error:  # pragma: no cover  the pattern leaves none
        raise _Refusal(N_("Give “%(label)s” in digits."), one.label) from error
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > one.decimals:
        if one.decimals == 0:
            raise _Refusal(N_("Give “%(label)s” as a whole number."), one.label)
        raise _Refusal(
            N_("Give “%(label)s” with %(decimals)s digits after the comma at most."),
            one.label,
            decimals=one.decimals,
        )
    if one.minimum is not None and number < one.minimum:
        raise _Refusal(
            N_("Give “%(label)s” as %(minimum)s or more."), one.label, minimum=one.minimum
        )
    if one.maximum is not None and number > one.maximum:
        raise _Refusal(
            N_("Give “%(label)s” as %(maximum)s or less."), one.label, maximum=one.maximum
        )
    return number


def _date(one: Field, value: str) -> Answer:
    """What a browser's own picker sends, or day, month and year as one writes them by hand."""
    if match := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", value, re.ASCII):
        year, month, day = match.groups()
    elif match := re.fullmatch(
        r"([0-9]{1,2})\s*[/. -]\s*([0-9]{1,2})\s*[/. -]\s*([0-9]{4})", value, re.ASCII
    ):
        day, month, year = match.groups()
    else:
        raise _no_date(one)
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise _no_date(one) from error


def _no_date(one: Field) -> _Refusal:
    return _Refusal(N_("Give “%(label)s” as day, month and year, such as 05/04/2018."), one.label)


def _time(one: Field, value: str) -> Answer:
    """What a browser's own picker sends, or hours and minutes as one writes them: 9 h, 9h30."""
    match = re.fullmatch(
        r"([0-9]{1,2})\s*(?:[:h.]\s*(?:([0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?)?)?\s*(?:min)?",
        value.lower(),
        re.ASCII,
    )
    try:
        if match is None:
            raise ValueError
        return time(int(match[1]), int(match[2] or 0))
    except ValueError as error:
        raise _Refusal(
            N_("Give “%(label)s” as hours and minutes, such as 14:30."), one.label
        ) from error


def _within(one: Field, answer: Answer, reading: Reading) -> Answer:
    """The date or time, unless it is too early or too late."""
    if isinstance(answer, time):
        if one.earliest is not None and answer < time.fromisoformat(one.earliest):
            raise _Refusal(
                N_("Give “%(label)s” as %(earliest)s or later."), one.label, earliest=one.earliest
            )
        if one.latest is not None and answer > time.fromisoformat(one.latest):
            raise _Refusal(
                N_("Give “%(label)s” as %(latest)s or earlier."), one.label, latest=one.latest
            )
        return answer
    assert isinstance(answer, date)
    if one.earliest == TODAY and answer < reading.first_today():
        raise _Refusal(N_("Give “%(label)s” as today or a later day."), one.label)
    if one.latest == TODAY and answer > reading.last_today():
        raise _Refusal(N_("Give “%(label)s” as today or an earlier day."), one.label)
    if one.earliest not in (None, TODAY) and answer < date.fromisoformat(str(one.earliest)):
        raise _Refusal(
            N_("Give “%(label)s” as %(earliest)s or later."),
            one.label,
            earliest=date.fromisoformat(str(one.earliest)),
        )
    if one.latest not in (None, TODAY) and answer > date.fromisoformat(str(one.latest)):
        raise _Refusal(
            N_("Give “%(label)s” as %(latest)s or earlier."),
            one.label,
            latest=date.fromisoformat(str(one.latest)),
        )
    return answer


def _choice(one: Field, value: str) -> Answer:
    if value not in {choice.value for choice in one.choices}:
        raise _Refusal(N_("Choose one of the answers to “%(label)s”."), one.label)
    return value


def _choices(one: Field, value: str) -> Answer:
    """Those chosen, in the order in which they are offered."""
    chosen = lines_of(value)
    offered = [choice.value for choice in one.choices]
    if any(line not in offered for line in chosen):
        raise _Refusal(N_("Choose among the answers to “%(label)s”."), one.label)
    return tuple(line for line in offered if line in chosen)


def _yes_no(one: Field, value: str) -> Answer:
    if value not in (TICKED, NO):
        raise _Refusal(N_("Choose one of the answers to “%(label)s”."), one.label)
    return value == TICKED


def _files(one: Field, value: str, reading: Reading) -> Answer | None:
    """The files with these ids, of those that may be attached here; the others are passed over."""
    by_id = {str(id): file for id, file in reading.files.items()}
    attached = tuple(by_id[line] for line in lines_of(value) if line in by_id)
    if not attached:
        if one.required:
            raise _missing(one)
        return None
    most = one.max_files or MOST_FILES
    if len(attached) > most:
        raise _Refusal(
            N_("Keep %(most)s files at most under “%(label)s”: remove the others."),
            one.label,
            most=most,
        )
    return attached


_MISSING_PARTS = {
    "street": N_("Fill in the street of “%(label)s”."),
    "postcode": N_("Fill in the postcode of “%(label)s”."),
    "city": N_("Fill in the city of “%(label)s”."),
}


def _address(one: Field, said: Mapping[str, str]) -> Answer | None:
    """All of its parts, or none where the question may be left open."""
    parts = {part: said[f"{one.key}.{part}"] for part in ADDRESS_PARTS}
    if not any(parts.values()) and not one.required:
        return None
    mistakes: dict[str, Message] = {}
    for part, value in parts.items():
        if not value:
            mistakes[f"{one.key}.{part}"] = Message(_MISSING_PARTS[part], label=one.label)
        elif len(value) > LONGEST_PARTS[part]:
            mistakes[f"{one.key}.{part}"] = Message(
                N_("Shorten “%(label)s” to %(longest)s characters."),
                {"longest": LONGEST_PARTS[part]},
                one.label,
            )
        elif part == "postcode" and not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z -]{1,11}", value):
            mistakes[f"{one.key}.{part}"] = Message(
                N_("Give the postcode of “%(label)s” in digits, such as 69700."), label=one.label
            )
    if mistakes:
        raise Mistake(mistakes)
    return Address(**parts)


def _checkbox(_one: Field, _value: str) -> Answer:
    return True


_READERS: Mapping[str, Callable[[Field, str], Answer]] = {
    "text": _text,
    "long_text": _text,
    "email": _email,
    "phone": _phone,
    "number": _number,
    "date": _date,
    "time": _time,
    "choice": _choice,
    "choices": _choices,
    "yes_no": _yes_no,
    "password": lambda _one, value: value,
    "checkbox": _checkbox,
}
