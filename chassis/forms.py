"""The form engine: reads what a browser sent for a form into values, answers and errors.

Pure functions over values. `chassis.web` draws the same forms; the definitions are data of
`contracts.forms`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from babel.dates import format_date
from babel.numbers import format_decimal

from chassis.problems import Problem
from chassis.words import N_, Translate, in_words, say
from contracts.forms import AnsweredField, AnsweredSection, Field, Form, Section
from contracts.words import Text, Words

Answer = str | bool | Decimal | date

TICKED = "yes"
"""What a ticked checkbox sends."""

LONGEST = {"text": 200, "long_text": 10_000, "email": 254, "phone": 40, "password": 200}
"""Characters, where a field sets no length of its own."""


@dataclass(frozen=True)
class Message:
    """What to do, as a msgid or words with named placeholders, and what fills them."""

    text: Text
    facts: Mapping[str, object] = field(default_factory=dict)
    label: Text | None = None  # fills %(label)s, in the reader's language

    def said(self, language: str, translate: Translate) -> str:
        """The whole sentence in this language."""
        sentence = say(self.text, language, translate)
        facts = dict(self.facts)
        if self.label is not None:
            facts["label"] = say(self.label, language, translate)
        return sentence % facts if facts else sentence


@dataclass(frozen=True)
class Submission:
    """A form as one person has filled it: what pages draw and verbs are given.

    `values` are as typed, by key; `answers` are typed and normalised, without those left open;
    `errors` stand at their fields, `refusals` are about the whole.
    """

    form: Form
    values: Mapping[str, str]
    answers: Mapping[str, Answer] = field(default_factory=dict)
    errors: Mapping[str, Message] = field(default_factory=dict)
    refusals: tuple[Message, ...] = ()

    @property
    def ok(self) -> bool:
        """Was nothing refused?"""
        return not self.errors and not self.refusals

    def text(self, key: str) -> str:
        """The normalised answer to a question of text; empty where it was left open."""
        answer = self.answers.get(key, "")
        return answer if isinstance(answer, str) else str(answer)

    def ticked(self, key: str) -> bool:
        """Is that box ticked?"""
        return self.values.get(key) == TICKED

    def refused(self, problem: Problem) -> "Submission":
        """The same, with what a verb refused: at its field if it is one of this form's."""
        message = Message(problem.title, problem.facts)
        if problem.field in {one.key for one in self.form.fields()}:
            assert problem.field is not None
            return replace(self, errors={**self.errors, problem.field: message})
        return replace(self, refusals=(*self.refusals, message))


def opened(form: Form, known: Mapping[str, str] | None = None) -> Submission:
    """The form as it is first shown, with what is known filled in."""
    return Submission(form, prefill(form, known or {}))


def prefill(form: Form, known: Mapping[str, str]) -> dict[str, str]:
    """The values to begin with, by field, taken from known ones such as `person.email`."""
    return {
        one.key: known[one.prefill]
        for one in form.fields()
        if one.prefill is not None and known.get(one.prefill)
    }


def read(form: Form, submission: Mapping[str, str]) -> Submission:
    """Read what was sent. What the form does not ask is passed over."""
    values: dict[str, str] = {}
    answers: dict[str, Answer] = {}
    errors: dict[str, Message] = {}
    for one in form.fields():
        value = cleaned(one, submission.get(one.key, ""))
        values[one.key] = value
        try:
            answer = _answer(one, value)
        except _Mistake as mistake:
            errors[one.key] = mistake.message
            continue
        if answer is not None:
            answers[one.key] = answer
    return Submission(form, values, answers, errors)


def answered(
    form: Form, values: Mapping[str, str], languages: Iterable[str], translate: Translate
) -> tuple[AnsweredSection, ...]:
    """The answers with their questions, to be shown, sent and stored without the form."""
    speak = tuple(languages)
    submission = read(form, values)
    sections = ((one, _answered_fields(one, submission, speak, translate)) for one in form.sections)
    return tuple(
        _answered_section(section, answers, speak, translate)
        for section, answers in sections
        if answers
    )


def cleaned(one: Field, value: str) -> str:
    """The value as it is kept: trimmed, in NFC, lines ended by \\n, no control characters.

    A password is kept as it was typed.
    """
    if one.kind == "password":
        return value
    value = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    if one.kind != "long_text":
        value = value.replace("\n", " ").replace("\t", " ")
    return "".join(char for char in value if char in "\n\t" or not _control(char)).strip()


def normalise_address(address: str) -> str:
    """The form under which a mail address is looked up: one for each mailbox.

    Lower case and NFC, the domain in its ASCII form; RFC 5321 §2.4 lets a host tell cases apart,
    but none that matters does.
    """
    lowered = unicodedata.normalize("NFC", address.strip()).lower()
    local, at, domain = lowered.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return lowered


class _Mistake(Exception):
    def __init__(self, message: Message) -> None:
        super().__init__(message.text)
        self.message = message


def _control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs"}


def _answer(one: Field, value: str) -> Answer | None:
    """The typed answer, or None where the question may be and was left open."""
    if not value or (one.kind == "checkbox" and value != TICKED):
        if one.required:
            raise _Mistake(_missing(one))
        return False if one.kind == "checkbox" else None
    longest = one.max_length or LONGEST.get(one.kind, 200)
    if len(value) > longest:
        raise _Mistake(
            Message(
                N_("Shorten “%(label)s” to %(longest)s characters."),
                {"longest": longest},
                one.label,
            )
        )
    return _READERS[one.kind](one, value)


def _missing(one: Field) -> Message:
    if one.missing is not None:
        return Message(one.missing)
    if one.kind == "choice":
        return Message(N_("Choose an answer to “%(label)s”."), label=one.label)
    if one.kind == "checkbox":
        return Message(N_("Tick “%(label)s” to go on."), label=one.label)
    return Message(N_("Fill in “%(label)s”."), label=one.label)


def _text(_one: Field, value: str) -> Answer:
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
        and len(labels) >= 2
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    ):
        raise _Mistake(Message(N_("Give a whole mail address, such as name@example.fr.")))
    return value


def _phone(_one: Field, value: str) -> Answer:
    """Ten digits (France and its overseas numbers), or + and the country's code."""
    number = re.sub(r"[\s.\-/()]", "", value.replace("(0)", ""))
    if number.startswith("00"):
        number = "+" + number[2:]
    if re.fullmatch(r"\+330?[1-9][0-9]{8}", number, re.ASCII):
        number = "0" + number[-9:]
    if not re.fullmatch(r"0[1-9][0-9]{8}|\+[1-9][0-9]{6,14}", number, re.ASCII):
        raise _Mistake(
            Message(N_("Give a phone number of ten digits, or one that starts with + and a code."))
        )
    return number


def _number(one: Field, value: str) -> Answer:
    """Decimal comma or point; blanks between groups of digits."""
    plain = re.sub(r"\s", "", value).replace("−", "-").replace(",", ".")
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", plain, re.ASCII):
        raise _Mistake(Message(N_("Give “%(label)s” in digits."), label=one.label))
    try:
        number = Decimal(plain)
    except InvalidOperation as error:  # pragma: no cover  the pattern leaves none
        raise _Mistake(Message(N_("Give “%(label)s” in digits."), label=one.label)) from error
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > one.decimals:
        if one.decimals == 0:
            raise _Mistake(Message(N_("Give “%(label)s” as a whole number."), label=one.label))
        raise _Mistake(
            Message(
                N_("Give “%(label)s” with %(decimals)s digits after the comma at most."),
                {"decimals": one.decimals},
                one.label,
            )
        )
    if one.minimum is not None and number < one.minimum:
        raise _Mistake(
            Message(
                N_("Give “%(label)s” as %(minimum)s or more."),
                {"minimum": one.minimum},
                one.label,
            )
        )
    if one.maximum is not None and number > one.maximum:
        raise _Mistake(
            Message(
                N_("Give “%(label)s” as %(maximum)s or less."),
                {"maximum": one.maximum},
                one.label,
            )
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
        raise _Mistake(_no_date(one))
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise _Mistake(_no_date(one)) from error


def _no_date(one: Field) -> Message:
    return Message(
        N_("Give “%(label)s” as day, month and year, such as 05/04/2018."), label=one.label
    )


def _choice(one: Field, value: str) -> Answer:
    if value not in {choice.value for choice in one.choices}:
        raise _Mistake(Message(N_("Choose one of the answers to “%(label)s”."), label=one.label))
    return value


def _checkbox(_one: Field, _value: str) -> Answer:
    return True


_READERS: dict[str, Callable[[Field, str], Answer]] = {
    "text": _text,
    "long_text": _text,
    "email": _email,
    "phone": _phone,
    "number": _number,
    "date": _date,
    "choice": _choice,
    "password": _text,
    "checkbox": _checkbox,
}


def _answered_section(
    section: Section, answers: tuple[AnsweredField, ...], languages: tuple[str, ...], tr: Translate
) -> AnsweredSection:
    subtitle = section.recap_subtitle
    return AnsweredSection(
        key=section.key,
        title=in_words(section.title, languages, tr),
        subtitle=None if subtitle is None else in_words(subtitle, languages, tr),
        answers=answers,
    )


def _answered_fields(
    section: Section, submission: Submission, languages: tuple[str, ...], translate: Translate
) -> tuple[AnsweredField, ...]:
    return tuple(
        AnsweredField(
            key=one.key,
            label=in_words(one.label, languages, translate),
            value=_plain(submission.answers[one.key]),
            display=_display(one, submission.answers[one.key], languages, translate),
        )
        for one in section.fields
        if one.kind != "password" and one.key in submission.answers
    )


def _plain(answer: Answer) -> str:
    """The answer for machines: ISO dates, a decimal point, yes or no."""
    if isinstance(answer, bool):
        return TICKED if answer else "no"
    return answer.isoformat() if isinstance(answer, date) else str(answer)


def _display(
    one: Field, answer: Answer, languages: tuple[str, ...], translate: Translate
) -> Words | str:
    """The answer for readers."""
    if isinstance(answer, bool):
        return in_words(N_("Yes") if answer else N_("No"), languages, translate)
    if isinstance(answer, date):
        return {lang: format_date(answer, "long", locale=lang) for lang in languages}
    if isinstance(answer, Decimal):
        return {
            lang: format_decimal(answer, locale=lang, decimal_quantization=False)
            for lang in languages
        }
    if one.kind == "choice":
        label = next(choice.label for choice in one.choices if choice.value == answer)
        return in_words(label, languages, translate)
    if one.kind == "phone" and answer.startswith("0"):
        return " ".join(answer[start : start + 2] for start in range(0, len(answer), 2))
    return answer
