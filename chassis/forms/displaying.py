"""Answers as they are shown, sent and stored: readable without the form that asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from uuid import UUID

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from chassis.forms.asking import Entry, Group, Question, walked
from chassis.forms.reading import Mistake, Reading, answer_to
from chassis.forms.submission import prefill, read
from chassis.forms.values import NO, TICKED, Address, Answer, cleaned, grouped_phone, input_names
from chassis.words import N_, Translate, in_words, locale_of
from contracts.forms import AnsweredField, AnsweredSection, AttachedFile, Field, Form, Section
from contracts.words import Words


def answered(
    form: Form,
    values: Mapping[str, str],
    languages: Iterable[str],
    translate: Translate,
    files: Mapping[UUID, AttachedFile] | None = None,
) -> tuple[AnsweredSection, ...]:
    """The answers with their questions, to be shown, sent and stored without the form."""
    telling = _Telling(tuple(languages), translate)
    submission = read(form, values, files)
    found = []
    for group in walked(form, values):
        for entry in group.entries:
            answers = tuple(
                telling.field(one.field, submission.answers[one.field.key])
                for one in entry.questions
                if one.field.kind != "password" and one.field.key in submission.answers
            )
            if answers:
                found.append(telling.section(group.section, entry, answers))
    return tuple(found)


def hidden_answers(
    form: Form,
    values: Mapping[str, str],
    languages: Iterable[str],
    translate: Translate,
    files: Mapping[UUID, AttachedFile] | None = None,
    known: Mapping[str, str] | None = None,
) -> tuple[AnsweredField, ...]:
    """What was answered to questions that are not asked with these values, and is thus dropped.

    What the portal filled in from `known` by itself is nobody's answer.
    """
    telling = _Telling(tuple(languages), translate)
    reading = Reading(files or {})
    filled_in = prefill(form, known or {})
    found = []
    for group in walked(form, values):
        for question in _unasked(group):
            one = question.field
            said = {name: cleaned(one, values.get(name, "")) for name in input_names(one)}
            typed = {name: value for name, value in said.items() if value}
            if one.kind == "password" or typed.items() <= filled_in.items():
                continue
            found.append(telling.typed(one, said, reading))
    return tuple(found)


def _unasked(group: Group) -> Iterator[Question]:
    for entry in group.entries:
        for question in entry.questions:
            if not question.asked:
                yield question


class _Telling:
    """Tells in some languages."""

    def __init__(self, languages: tuple[str, ...], translate: Translate) -> None:
        self._languages = languages
        self._translate = translate

    def section(
        self, section: Section, entry: Entry, answers: tuple[AnsweredField, ...]
    ) -> AnsweredSection:
        """The answers of a section, or of one of its entries."""
        subtitle = section.recap_subtitle
        return AnsweredSection(
            key=entry.key,
            title=self._title(section, entry.number),
            subtitle=None if subtitle is None else self._words(subtitle),
            answers=answers,
        )

    def field(self, one: Field, answer: Answer) -> AnsweredField:
        """An answer with its question."""
        return AnsweredField(
            key=one.key,
            label=self._words(one.label),
            value=_plain(answer),
            display=self._display(one, answer),
            files=_files(answer),
        )

    def typed(self, one: Field, said: Mapping[str, str], reading: Reading) -> AnsweredField:
        """The same of what was typed, though it may be none that the question takes."""
        try:
            answer = answer_to(one, said, reading)
        except Mistake:
            answer = None
        if answer is not None:
            return self.field(one, answer)
        typed = "\n".join(value for value in said.values() if value)
        return AnsweredField(key=one.key, label=self._words(one.label), value=typed, display=typed)

    def _words(self, text: str | Words) -> Words:
        return in_words(text, self._languages, self._translate)

    def _title(self, section: Section, number: int | None) -> Words:
        if number is None or section.repeats is None:
            return self._words(section.title)
        called = self._words(section.repeats.entry or section.title)
        return {language: f"{words} {number + 1}" for language, words in called.items()}

    def _display(self, one: Field, answer: Answer) -> Words | str:
        """The answer for readers."""
        match answer:
            case bool():
                return self._words(N_("Yes") if answer else N_("No"))
            case date():
                return self._each(lambda locale: format_date(answer, "long", locale=locale))
            case time():
                return self._each(lambda locale: format_time(answer, "short", locale=locale))
            case Decimal():
                return self._each(
                    lambda locale: format_decimal(answer, locale=locale, decimal_quantization=False)
                )
            case Address():
                return str(answer)
            case tuple():
                return self._several(one, answer)
        if one.kind == "choice":
            return self._choice(one, answer)
        return grouped_phone(answer) if one.kind == "phone" else answer

    def _several(
        self, one: Field, answer: tuple[str, ...] | tuple[AttachedFile, ...]
    ) -> Words | str:
        """A line each."""
        names = [part.name for part in answer if isinstance(part, AttachedFile)]
        if names:
            return "\n".join(names)
        said = [self._choice(one, part) for part in answer if isinstance(part, str)]
        return {
            language: "\n".join(words[language] for words in said) for language in self._languages
        }

    def _choice(self, one: Field, value: str) -> Words:
        label = next(choice.label for choice in one.choices if choice.value == value)
        return self._words(label)

    def _each(self, formatted: Callable[[str], str]) -> Words:
        return {language: formatted(locale_of(language)) for language in self._languages}


def _plain(answer: Answer) -> str:
    """The answer for machines: ISO dates, a decimal point, yes or no, one of several a line."""
    match answer:
        case bool():
            return TICKED if answer else NO
        case time():
            return answer.isoformat("minutes")
        case date():
            return answer.isoformat()
        case tuple():
            return "\n".join(
                str(one.id) if isinstance(one, AttachedFile) else one for one in answer
            )
    return str(answer)


def _files(answer: Answer) -> tuple[AttachedFile, ...]:
    if isinstance(answer, tuple):
        return tuple(one for one in answer if isinstance(one, AttachedFile))
    return ()
