"""A form as somebody has filled it: opened, sent, read, carried on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from uuid import UUID

from chassis.forms.asking import Entry, Group, Question, entry_title, walked
from chassis.forms.paging import whole_of
from chassis.forms.reading import Mistake, Reading, answer_to
from chassis.forms.repeats import entry_name
from chassis.forms.values import ADDRESS_PARTS, TICKED, Answer, Message, cleaned, input_names
from chassis.problems import Problem
from chassis.words import N_
from contracts.forms import AttachedFile, Field, Form, Section
from contracts.words import Text

UNSEEN = "_unseen"
"""The input that names, between blanks, the questions that the page had and did not show."""


@dataclass(frozen=True)
class Submission:
    """A form as one person has filled it: what pages draw and verbs are given.

    `values` are as typed, by the names of inputs; `answers` are typed and normalised, without those
    left open and those not asked; `errors` stand at their inputs, `refusals` are about the whole.
    `anew` are questions that these very answers brought up: whoever filled the page has not seen
    them yet. `files` are those that may be attached here.
    """

    form: Form
    values: Mapping[str, str]
    answers: Mapping[str, Answer] = field(default_factory=dict)
    errors: Mapping[str, Message] = field(default_factory=dict)
    refusals: tuple[Message, ...] = ()
    anew: tuple[str, ...] = ()
    files: Mapping[UUID, AttachedFile] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Was nothing refused, and everything seen?"""
        return not self.wrong and not self.anew

    @property
    def wrong(self) -> bool:
        """Was anything refused?"""
        return bool(self.errors or self.refusals)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """What a page draws: sections with their entries and questions, in order."""
        return tuple(group for group in walked(self.form, self.values) if group.drawn)

    @property
    def changes_as_one_answers(self) -> bool:
        """Does anything on the page depend on other answers of the same page?"""
        return any(
            group.here or any(one.here for entry in group.entries for one in entry.drawn)
            for group in self.groups
        )

    def text(self, key: str) -> str:
        """The normalised answer to a question of text; empty where it was left open."""
        answer = self.answers.get(key, "")
        return answer if isinstance(answer, str) else str(answer)

    def ticked(self, key: str) -> bool:
        """Is that box ticked?"""
        return self.values.get(key) == TICKED

    def attached(self, key: str) -> tuple[AttachedFile, ...]:
        """The files that were attached to a question so far."""
        ids = self.values.get(key, "").split("\n")
        by_id = {str(id): file for id, file in self.files.items()}
        return tuple(by_id[id] for id in dict.fromkeys(ids) if id in by_id)

    def refused(self, problem: Problem) -> "Submission":
        """The same, with what a verb refused: at its field if it is one of this form's."""
        message = Message(problem.title, problem.facts)
        if problem.field in set(self.inputs()):
            assert problem.field is not None
            return replace(self, errors={**self.errors, problem.field: message})
        return replace(self, refusals=(*self.refusals, message))

    def inputs(self) -> Iterator[str]:
        """The names of the inputs of all questions, in order."""
        for _, _, question in _questions(self.groups):
            yield question.field.key
            if question.field.kind == "address":
                yield from input_names(question.field)

    def carried(self) -> Iterator[tuple[str, str]]:
        """What goes along to another page: names of inputs and values, without passwords."""
        for group in walked(whole_of(self.form), self.values):
            if group.repeats:
                yield group.count_name, str(len(group.entries))
            for _, _, question in _questions((group,)):
                for name in input_names(question.field):
                    if question.field.kind != "password" and self.values.get(name):
                        yield name, self.values[name]

    def beside(self) -> Iterator[tuple[str, str]]:
        """What goes along beside the questions that this page draws: answers of other pages."""
        here = {group.count_name for group in self.groups if group.repeats}
        for _, _, question in _questions(self.groups):
            if question.drawn:
                here.update(input_names(question.field))
        return ((name, value) for name, value in self.carried() if name not in here)

    def complaints(self) -> Iterator[tuple[str, Text | None, Message]]:
        """The errors in the order of their questions: the input, its entry's title, what to do."""
        for group in self.groups:
            if group.count_name in self.errors:
                yield f"s-{group.section.key}", None, self.errors[group.count_name]
            for _, entry, question in _questions((group,)):
                title = None
                if entry.number is not None:
                    title = entry_title(group.section, entry.number)
                for name in dict.fromkeys((question.field.key, *input_names(question.field))):
                    if name in self.errors:
                        yield f"f-{name}", title, self.errors[name]

    def brought_up(self) -> tuple[Field, ...]:
        """The questions that these answers brought up."""
        return tuple(
            question.field
            for _, _, question in _questions(self.groups)
            if question.field.key in self.anew
        )

    def hidden_here(self) -> str:
        """The value of the input UNSEEN: what the page holds and does not show, between blanks."""
        return " ".join(
            question.field.key
            for group, _, question in _questions(self.groups)
            if question.drawn and not question.asked
        )


def opened(form: Form, known: Mapping[str, str] | None = None) -> Submission:
    """The form as it is first shown, with what is known filled in."""
    return Submission(form, prefill(form, known or {}))


def prefill(form: Form, known: Mapping[str, str]) -> dict[str, str]:
    """The values to begin with, by input, taken from known ones such as `person.email`."""
    found: dict[str, str] = {}
    for section in form.sections:
        numbers = (None,) if section.repeats is None else range(section.repeats.minimum)
        for number in numbers:
            for one in section.fields:
                found.update(_prefilled(one, entry_name(section, number, one.key), known))
    return found


def _prefilled(one: Field, name: str, known: Mapping[str, str]) -> dict[str, str]:
    """`organisation.address` fills a postal address by its parts, `organisation.city` and so on."""
    if one.prefill is None:
        return {}
    if one.kind == "address":
        whose = one.prefill.rpartition(".")[0]
        parts = {part: known.get(f"{whose}.{part}") for part in ADDRESS_PARTS}
        return {f"{name}.{part}": value for part, value in parts.items() if value}
    return {name: known[one.prefill]} if known.get(one.prefill) else {}


def read(
    form: Form,
    submission: Mapping[str, str],
    files: Mapping[UUID, AttachedFile] | None = None,
    today: date | None = None,
) -> Submission:
    """Read what was sent, by the names of inputs. What the form does not ask is passed over.

    Of a page (`pages_of`), `submission` holds what the whole form was answered: its values stay,
    its conditions may be on earlier pages, but only the page's own questions are answers or errors.
    Values of questions that are not asked stay among the values, and are no answers.
    """
    reading = Reading(files or {}, today)
    own = {section.key for section in form.sections}
    unseen = set(submission.get(UNSEEN, "").split())
    values: dict[str, str] = {}
    answers: dict[str, Answer] = {}
    errors: dict[str, Message] = {}
    anew: list[str] = []
    for group in walked(whole_of(form), submission):
        values.update(_count(group))
        here = group.section.key in own
        if here and group.holds and _too_many(group):
            errors[group.count_name] = _fewer(group.section)
        for _, _, question in _questions((group,)):
            one = question.field
            names = input_names(one)
            said = {name: cleaned(one, submission.get(name, "")) for name in names}
            values.update(said)
            if not (here and question.asked):
                continue
            if one.key in unseen and not any(said.values()):
                anew.append(one.key)
                continue
            try:
                answer = answer_to(one, said, reading)
            except Mistake as mistake:
                errors.update(mistake.messages)
                continue
            if answer is not None:
                answers[one.key] = answer
    return Submission(form, values, answers, errors, (), tuple(anew), reading.files)


def _questions(groups: tuple[Group, ...]) -> Iterator[tuple[Group, Entry, Question]]:
    for group in groups:
        for entry in group.entries:
            for question in entry.questions:
                yield group, entry, question


def _count(group: Group) -> dict[str, str]:
    return {group.count_name: str(len(group.entries))} if group.repeats else {}


def _too_many(group: Group) -> bool:
    most = group.section.repeats.maximum if group.section.repeats else len(group.entries)
    return len(group.entries) > most


def _fewer(section: Section) -> Message:
    assert section.repeats is not None
    return Message(
        N_("Keep %(most)s at most under “%(label)s”: take the others out."),
        {"most": section.repeats.maximum},
        section.title,
    )
