"""Any form, filled in by anybody: what is shown, asked, kept and recapped agree.

Definitions and answers are drawn. One person fills the form where scripts run: what depends on an
answer appears at once. Another has none: new questions appear at the next step. Both then change
their minds, and end with the same; and a form that is published anew meanwhile harms neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import forms
from chassis.forms import Question, Submission, input_names
from contracts.forms import (
    Choice,
    Condition,
    Field,
    Form,
    Page,
    Repeats,
    Section,
    allowed_in_conditions,
)

KINDS = ("choice", "choices", "yes_no", "checkbox", "text", "number", "address", "time")
CHOICES = tuple(Choice(value=one, label={"fr": one}) for one in "abc")
LANGUAGES = ("fr", "en")

# What somebody who knows what is asked types; the first of each can't be an answer.
TYPED: dict[str, tuple[str, ...]] = {
    "choice": ("z", "a", "b", "c"),
    "choices": ("z", "a", "b\nc", "a\nb\nc"),
    "yes_no": ("z", "yes", "no"),
    "checkbox": ("yes",),
    "text": ("t" * 300, "Lyon", "Évry", " a "),
    "number": ("douze", "3", "1 234"),
    "time": ("midi", "9h30", "14:00"),
    "address": ("là-bas", "69700", "78470"),  # the postcode
}


def _said(msgid: str, _language: str) -> str:
    return msgid


@st.composite
def conditions(draw: st.DrawFn, earlier: list[Field]) -> tuple[Condition, ...]:
    """None, mostly; else one or two on earlier questions."""
    if not earlier or draw(st.booleans()):
        return ()
    made = []
    for one in draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=2)):
        allowed = allowed_in_conditions(one)
        ways = ("answered", "one_of", "none_of") if allowed else ("answered",)
        asks = draw(st.sampled_from(ways))
        if asks == "answered":
            made.append(Condition(field=one.key, answered=draw(st.booleans())))
            continue
        some = tuple(draw(st.lists(st.sampled_from(allowed), min_size=1, max_size=2, unique=True)))
        made.append(
            Condition(field=one.key, one_of=some)
            if asks == "one_of"
            else Condition(field=one.key, none_of=some)
        )
    return tuple(made)


@st.composite
def definitions(draw: st.DrawFn) -> Form:
    """A form of some sections, some of which repeat; with pages of its own or without."""
    earlier: list[Field] = []
    sections: list[Section] = []
    for at in range(draw(st.integers(1, 4))):
        within = list(earlier)
        fields = []
        for _ in range(draw(st.integers(1, 4))):
            kind: Any = draw(st.sampled_from(KINDS))
            one = Field(
                key=f"f{len(within)}_{at}",
                kind=kind,
                label={"fr": "Question"},
                choices=CHOICES if kind in ("choice", "choices") else (),
                required=draw(st.booleans()) if kind != "checkbox" else False,
                shown_when=draw(conditions(within)),
            )
            within.append(one)
            fields.append(one)
        least = draw(st.integers(0, 2))
        repeats = Repeats(minimum=least, maximum=3) if draw(st.booleans()) else None
        sections.append(
            Section(
                key=f"s{at}",
                title={"fr": "Section"},
                fields=tuple(fields),
                shown_when=draw(conditions(earlier)),
                repeats=repeats,
            )
        )
        if repeats is None:
            earlier = within
    cut = draw(st.integers(0, len(sections)))
    keys = [one.key for one in sections]
    pages = tuple(Page(sections=tuple(part)) for part in (keys[:cut], keys[cut:]) if part)
    return Form(sections=tuple(sections), pages=pages if draw(st.booleans()) else ())


@st.composite
def minds(draw: st.DrawFn, form: Form, *, mistaken: bool = False) -> dict[str, str]:
    """What somebody would answer to each question, by inputs, if it were asked."""
    wishes: dict[str, str] = {}
    for section in form.sections:
        numbers: list[int | None] = [None]
        if section.repeats is not None:
            count = draw(st.integers(section.repeats.minimum, section.repeats.maximum))
            wishes[f"{section.key}.count"] = str(count)
            numbers = list(range(count))
        for number in numbers:
            for one in section.fields:
                name = one.key if number is None else f"{section.key}.{number}.{one.key}"
                typed = (
                    TYPED[one.kind] if mistaken or one.kind == "checkbox" else TYPED[one.kind][1:]
                )
                value = draw(st.sampled_from(typed if one.required else ("", *typed)))
                if one.kind == "address":
                    part = bool(value)
                    wishes[f"{name}.street"] = "1 rue Haute" if part else ""
                    wishes[f"{name}.postcode"] = value
                    wishes[f"{name}.city"] = "Givors" if part else ""
                else:
                    wishes[name] = value
    return wishes


@dataclass
class Person:
    """Fills in a form page by page, as the portal leads one through it."""

    form: Form
    scripts: bool
    values: Mapping[str, str] = field(default_factory=dict)

    def fills(self, wishes: Mapping[str, str]) -> Submission:
        """From the first page to the recap, with these answers in mind. The whole, as read last."""
        at = 0
        for _ in range(200):
            pages = forms.asked_pages(self.form, self.values)
            if at >= len(pages):
                return forms.read(self.form, self.values)
            if self._goes_on(Submission(pages[at], self.values), wishes):
                at += 1
        raise AssertionError("the form has no end")

    def _goes_on(self, page: Submission, wishes: Mapping[str, str]) -> bool:
        """Answer what is in sight and press `Next`, as often as new questions come."""
        for _ in range(50):
            page = self._with_entries(page, wishes)
            page = forms.read(page.form, self._sends(page, wishes))
            self.values = page.values
            if not page.anew:
                return True
            assert not self.scripts, "scripts show everything at once"
        raise AssertionError("the page has no end")

    def _with_entries(self, page: Submission, wishes: Mapping[str, str]) -> Submission:
        """As many entries as wished for, by the buttons that add and remove one."""
        for _ in range(50):
            wrong = (
                group
                for group in page.groups
                if group.repeats and len(group.entries) != int(wishes[group.count_name])
            )
            group = next(wrong, None)
            if group is None:
                return page
            if len(group.entries) < int(wishes[group.count_name]):
                pressed = {forms.ADD: group.section.key}
            else:
                pressed = {forms.REMOVE: group.entries[-1].key}
            sent = dict(page.carried())
            page = Submission(page.form, forms.rearranged(self.form, sent, pressed))
        raise AssertionError("the entries have no end")

    def _sends(self, page: Submission, wishes: Mapping[str, str]) -> dict[str, str]:
        """What the browser sends: inputs in sight as wished for, hidden ones as they are."""
        sent = {**dict(page.beside()), **dict(page.carried())}
        seen = set()
        for group in page.groups:
            if group.repeats:
                sent[group.count_name] = str(len(group.entries))
            for entry in group.entries:
                for question in entry.drawn:
                    if self._sees(page, question, sent):
                        seen.add(question.field.key)
                        for name in input_names(question.field):
                            sent[name] = wishes[name]
        unseen = [name for name in page.hidden_here().split() if name not in seen]
        unticked = {name for name, value in sent.items() if not value}
        sent = {name: value for name, value in sent.items() if name not in unticked}
        return {**sent, forms.UNSEEN: " ".join(unseen)}

    def _sees(self, page: Submission, question: Question, sent: Mapping[str, str]) -> bool:
        """Is the question in sight: as the page came or, with scripts, by what is answered now?"""
        if not self.scripts:
            return question.asked
        return question.field.key in asked_by_hand(self.form, sent)


def asked_by_hand(form: Form, values: Mapping[str, str]) -> list[str]:
    """The inputs of what is asked, worked out question by question from the definition's words."""
    by_hand = _ByHand(form, values)
    return [
        _name(section, number, one.key)
        for section in form.sections
        for number in _numbers(section, values)
        for one in section.fields
        if by_hand.asks(section, number, one)
    ]


class _ByHand:
    """Follows each condition back to what it is on, wherever that leads."""

    def __init__(self, form: Form, values: Mapping[str, str]) -> None:
        self._form = form
        self._values = values
        self._known: dict[str, bool] = {}

    def asks(self, section: Section, number: int | None, one: Field) -> bool:
        """Do all conditions of the question and of its section hold?"""
        name = _name(section, number, one.key)
        if name not in self._known:
            self._known[name] = all(
                self._so(section, number, condition)
                for condition in (*section.shown_when, *one.shown_when)
            )
        return self._known[name]

    def _so(self, section: Section, number: int | None, condition: Condition) -> bool:
        within = next(
            one for one in self._form.sections if condition.field in {it.key for it in one.fields}
        )
        at = number if within.key == section.key else None
        earlier = next(one for one in within.fields if one.key == condition.field)
        answers: set[str] = set()
        if self.asks(within, at, earlier):
            name = _name(within, at, earlier.key)
            parts = (f"{name}.street", f"{name}.postcode", f"{name}.city")
            names = parts if earlier.kind == "address" else (name,)
            answers = {line for it in names for line in self._values.get(it, "").split("\n")}
            answers -= {""}
            if allowed := allowed_in_conditions(earlier):
                answers &= set(allowed)
        if condition.one_of:
            return bool(answers & set(condition.one_of))
        if condition.none_of:
            return bool(answers) and not answers & set(condition.none_of)
        return bool(answers) is condition.answered


def _numbers(section: Section, values: Mapping[str, str]) -> list[int | None]:
    if section.repeats is None:
        return [None]
    return list(range(int(values.get(f"{section.key}.count") or section.repeats.minimum)))


def _name(section: Section, number: int | None, key: str) -> str:
    return key if number is None else f"{section.key}.{number}.{key}"


def agree(whole: Submission) -> None:
    """Shown, asked, kept, told as dropped: each input is where the definition has it."""
    form, values = whole.form, whole.values
    asked = asked_by_hand(form, values)
    shown = forms.shown(form, values)
    assert [one.key for one in shown.fields()] == asked
    assert set(whole.answers) <= set(asked)
    assert {name.rsplit(".", 1)[0] if name.count(".") % 2 else name for name in whole.errors} <= {
        *asked,
        *(one.key for one in form.sections),
    }

    again = forms.read(shown, values)
    assert (again.answers, again.errors) == (whole.answers, whole.errors)

    recap = forms.answered(form, values, LANGUAGES, _said)
    kept = [one.key for section in recap for one in section.answers]
    assert kept == [key for key in asked if key in whole.answers]
    dropped = forms.hidden_answers(form, values, LANGUAGES, _said)
    told = {one.key for one in dropped}
    assert not told & set(asked)
    if whole.ok:
        typed = {_question_of(form, name) for name, value in values.items() if value}
        assert typed - {None} == told | (typed & set(kept))


def _question_of(form: Form, name: str) -> str | None:
    """The question that an input is of; none for the counts of entries."""
    if name.endswith(".count"):
        return None
    stem, _, last = name.rpartition(".")
    return stem if last in ("street", "postcode", "city") else name


SETTINGS = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@SETTINGS
@given(st.data())
def test_with_scripts_and_without_one_ends_with_the_same(data: st.DataObject) -> None:
    form = data.draw(definitions())
    first, second = data.draw(minds(form)), data.draw(minds(form))
    with_scripts, without = Person(form, scripts=True), Person(form, scripts=False)
    for mind in (first, second):
        one, other = with_scripts.fills(mind), without.fills(mind)
        assert one.ok
        assert one.answers == other.answers
        agree(one)
        agree(other)


@SETTINGS
@given(st.data())
def test_what_cannot_be_an_answer_stays_and_is_told(data: st.DataObject) -> None:
    form = data.draw(definitions())
    whole = Person(form, scripts=data.draw(st.booleans())).fills(
        data.draw(minds(form, mistaken=True))
    )
    agree(whole)


@SETTINGS
@given(st.data())
def test_a_form_published_anew_meanwhile_harms_neither(data: st.DataObject) -> None:
    before, after = data.draw(definitions()), data.draw(definitions())
    mind = data.draw(minds(before))
    whole = Person(before, scripts=data.draw(st.booleans())).fills(mind)
    agree(whole)

    anew = forms.read(after, whole.values)  # the values meet the other form: as far as they go
    agree(anew)
    assert {_question_of(after, name) for name in anew.values} - {None} <= {
        one.field.key
        for group in forms.walked(after, anew.values)
        for entry in group.entries
        for one in entry.questions
    }
    # Whoever began with the form as it was ends with it as if nothing had happened.
    assert forms.read(before, whole.values) == whole
    goes_on = Person(after, scripts=False, values=anew.values)
    assert goes_on.fills(data.draw(minds(after))).ok


@SETTINGS
@given(definitions(), st.dictionaries(st.text("fs0123_.count", max_size=9), st.text(max_size=9)))
def test_whatever_is_sent_is_read(form: Form, sent: dict[str, str]) -> None:
    agree(forms.read(form, sent))
    for page in forms.pages_of(form):
        forms.read(page, sent)
    forms.rearranged(form, sent, {forms.REMOVE: sent.get("s0", "s0.1")})
