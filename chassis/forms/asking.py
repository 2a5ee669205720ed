"""Which questions are asked: conditions on earlier answers, and entries of repeating sections.

The conditions of a form look back only, so one walk in its order settles all of them. What is not
asked counts as unanswered, and so do the questions of a section that is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.forms.paging import pages_of, whole_of
from chassis.forms.repeats import count_name, entries_of, entry_name
from chassis.forms.values import cleaned, input_names, lines_of
from contracts.forms import Condition, Field, Form, Section, allowed_in_conditions
from contracts.words import Text

Given = frozenset[str] | None
"""What was chosen or typed in answer to a question; none: nothing."""


@dataclass(frozen=True)
class Question:
    """A question in its place. `field.key` is the name of its input there.

    Of a page that draws it, `here` are the conditions that the page itself can decide, on names of
    inputs. `drawn`: it is asked, or may be as soon as something else is answered on the page.
    """

    field: Field
    asked: bool
    holds: bool  # its own conditions; those of its section aside
    drawn: bool
    here: tuple[Condition, ...]


@dataclass(frozen=True)
class Entry:
    """The questions of a section, or one round of a repeating one."""

    key: str
    number: int | None
    questions: tuple[Question, ...]

    @property
    def drawn(self) -> tuple[Question, ...]:
        """Those that a page draws."""
        return tuple(one for one in self.questions if one.drawn)


@dataclass(frozen=True)
class Group:
    """A section in its place, with its entries; one, without a number, where it does not repeat."""

    section: Section
    holds: bool
    drawn: bool
    here: tuple[Condition, ...]
    entries: tuple[Entry, ...]

    @property
    def repeats(self) -> bool:
        """Is it answered once for each entry?"""
        return self.section.repeats is not None

    @property
    def takes_more(self) -> bool:
        """May an entry be added?"""
        return self.section.repeats is not None and len(self.entries) < self.section.repeats.maximum

    @property
    def takes_less(self) -> bool:
        """May an entry be taken out?"""
        return self.section.repeats is not None and len(self.entries) > self.section.repeats.minimum

    @property
    def count_name(self) -> str:
        """The input that says how many entries there are."""
        return count_name(self.section)


def walked(form: Form, values: Mapping[str, str]) -> tuple[Group, ...]:
    """The form's groups with these values. Of one page, those of that page."""
    whole = whole_of(form)
    own = {section.key for section in form.sections}
    walk = _Walk(values)
    groups = [walk.group(section, on_page=section.key in own) for section in whole.sections]
    return tuple(group for group in groups if group.section.key in own)


def shown(form: Form, values: Mapping[str, str]) -> Form:
    """What is asked with these values: no conditions left, an entry a section of its own."""
    sections = [
        group.section.model_copy(
            update={
                "key": entry.key,
                "title": entry_title(group.section, entry.number),
                "repeats": None,
                "shown_when": (),
                "fields": tuple(
                    one.field.model_copy(update={"shown_when": ()})
                    for one in entry.questions
                    if one.asked
                ),
            }
        )
        for group in walked(form, values)
        for entry in group.entries
    ]
    return Form.model_construct(
        key=form.key, sections=tuple(one for one in sections if one.fields), pages=()
    )


def entry_title(section: Section, number: int | None) -> Text:
    """`Device 2`; the section's own title where it does not repeat."""
    if number is None or section.repeats is None:
        return section.title
    called = section.repeats.entry or section.title
    if isinstance(called, str):
        return f"{called} {number + 1}"
    return {language: f"{words} {number + 1}" for language, words in called.items()}


def asked_pages(form: Form, values: Mapping[str, str]) -> tuple[Form, ...]:
    """The form's pages without those on which nothing is asked; one at the least."""
    pages = pages_of(form)
    return tuple(page for page in pages if _asks(page, values)) or pages[:1]


def _asks(page: Form, values: Mapping[str, str]) -> bool:
    """Is something drawn on the page, or may an entry be added there?"""
    return any(
        group.drawn and (group.repeats or any(entry.drawn for entry in group.entries))
        for group in walked(page, values)
    )


def holds(condition: Condition, given: Given) -> bool:
    """Is that so, where this was answered?"""
    if condition.one_of:
        return given is not None and not given.isdisjoint(condition.one_of)
    if condition.none_of:
        return given is not None and given.isdisjoint(condition.none_of)
    return (given is not None) is condition.answered


def given_to(one: Field, values: Mapping[str, str]) -> Given:
    """What was answered to a question, as conditions see it: of choices, those that there are."""
    said = [cleaned(one, values.get(name, "")) for name in input_names(one)]
    allowed = allowed_in_conditions(one)
    if allowed:
        said = [line for line in lines_of(said[0]) if line in allowed]
    return frozenset(line for line in said if line) or None


class _Walk:
    """Goes through a form in its order, and keeps what was answered so far."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._given: dict[str, Given] = {}  # by the keys of questions outside of entries
        self._drawn: set[str] = set()  # keys of questions that the page draws

    def group(self, section: Section, *, on_page: bool) -> Group:
        """The section with its entries."""
        met = all(holds(one, self._given.get(one.field)) for one in section.shown_when)
        drawn = on_page and self._may_be_drawn(section.shown_when, self._given, self._drawn)
        numbers: Sequence[int | None] = (None,)
        if section.repeats is not None:
            numbers = range(entries_of(section, self._values))
        return Group(
            section=section,
            holds=met,
            drawn=drawn,
            here=tuple(one for one in section.shown_when if one.field in self._drawn),
            entries=tuple(
                self._entry(section, number, section_holds=met, section_drawn=drawn)
                for number in numbers
            ),
        )

    def _entry(
        self, section: Section, number: int | None, *, section_holds: bool, section_drawn: bool
    ) -> Entry:
        given, drawn_keys = dict(self._given), set(self._drawn)
        names: dict[str, str] = {}
        questions = []
        for one in section.fields:
            name = names[one.key] = entry_name(section, number, one.key)
            here = one.model_copy(update={"key": name})
            met = all(holds(condition, given.get(condition.field)) for condition in one.shown_when)
            drawn = section_drawn and self._may_be_drawn(one.shown_when, given, drawn_keys)
            questions.append(
                Question(
                    field=here,
                    asked=section_holds and met,
                    holds=met,
                    drawn=drawn,
                    here=tuple(
                        condition.model_copy(
                            update={"field": names.get(condition.field, condition.field)}
                        )
                        for condition in one.shown_when
                        if condition.field in drawn_keys
                    ),
                )
            )
            if section_holds and met:
                given[one.key] = given_to(here, self._values)
            if drawn:
                drawn_keys.add(one.key)
        if number is None:
            self._given, self._drawn = given, drawn_keys
        key = section.key if number is None else f"{section.key}.{number}"
        return Entry(key, number, tuple(questions))

    @staticmethod
    def _may_be_drawn(
        conditions: Sequence[Condition], given: Mapping[str, Given], drawn: set[str]
    ) -> bool:
        """Does all hold that the page can't change by itself?"""
        return all(holds(one, given.get(one.field)) for one in conditions if one.field not in drawn)
