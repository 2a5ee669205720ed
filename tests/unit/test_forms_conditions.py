"""Which questions are asked: conditions, entries, pages, and what a page says of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from chassis import forms
from contracts.forms import Choice, Condition, Field, Form, Page, Repeats, Section


def when(field: str, *one_of: str, **changes: Any) -> tuple[Condition, ...]:
    """A condition: one of these, or whatever else is said."""
    return (Condition(field=field, one_of=one_of, **changes),)


def asks(key: str, kind: Any = "text", **changes: Any) -> Field:
    """A mandatory question."""
    choices = (Choice(value="a", label={"fr": "A"}), Choice(value="b", label={"fr": "B"}))
    given = {"choices": choices if kind in ("choice", "choices") else ()}
    return Field(key=key, kind=kind, label={"fr": key.capitalize()}, **{**given, **changes})


def section(key: str, *fields: Field, **changes: Any) -> Section:
    """A section with these questions."""
    return Section(key=key, title={"fr": key.capitalize()}, fields=fields, **changes)


def a_form(*sections: Section, **changes: Any) -> Form:
    """A form of these sections."""
    return Form(sections=sections, **changes)


def said(msgid: str, _language: str) -> str:
    return msgid


CHAIN = a_form(
    section(
        "trouble",
        asks("blocked", "yes_no"),
        asks("call", "yes_no", shown_when=when("blocked", "yes")),
        asks("hour", "time", shown_when=when("call", "yes")),
        asks("other", required=False),
    )
)


def asked(form: Form, **values: str) -> list[str]:
    """The inputs of what is asked."""
    return [one.key for one in forms.shown(form, values).fields()]


# ── Definitions ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "a"},
        {"field": "a", "one_of": ("x",), "none_of": ("y",)},
        {"field": "a", "one_of": ("x",), "answered": True},
    ],
)
def test_a_condition_asks_one_thing(condition: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="asks one thing"):
        Condition(**condition)


@pytest.mark.parametrize(
    ("sections", "why"),
    [
        ([section("s", asks("a", shown_when=when("b", answered=True)), asks("b"))], "not asked"),
        ([section("s", asks("a", shown_when=when("a", answered=True)))], "not asked"),
        ([section("s", asks("a"), shown_when=when("a", answered=True))], "not asked"),
        ([section("s", asks("a", shown_when=when("z", answered=True)))], "not asked"),
        (
            [
                section("s", asks("a"), repeats=Repeats()),
                section("t", asks("b", shown_when=when("a", answered=True))),
            ],
            "not asked",
        ),
        ([section("s", asks("a"), asks("b", shown_when=when("a", "x")))], "no answer to a"),
        (
            [section("s", asks("a", "choice"), asks("b", shown_when=when("a", "c")))],
            "no answer to a",
        ),
        (
            [section("s", asks("a", "checkbox"), asks("b", shown_when=when("a", "no")))],
            "no answer to a",
        ),
        (
            [section("s", asks("a", "file"), asks("b", shown_when=when("a", answered=True)))],
            "nothing depends",
        ),
    ],
)
def test_a_condition_is_on_an_earlier_question_and_its_answers(
    sections: list[Section], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        a_form(*sections)


@pytest.mark.parametrize(("least", "most"), [(-1, 2), (3, 2), (0, 0)])
def test_a_section_repeats_from_its_least_to_its_most(least: int, most: int) -> None:
    with pytest.raises(ValidationError, match="minimum to its maximum"):
        Repeats(minimum=least, maximum=most)


@pytest.mark.parametrize("keys", [("s",), ("t", "s"), ("s", "s", "t"), ("s", "t", "u")])
def test_pages_hold_every_section_in_its_order(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="every section"):
        a_form(section("s", asks("a")), section("t", asks("b")), pages=(Page(sections=keys),))


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────


def test_a_question_is_asked_where_its_conditions_hold() -> None:
    assert asked(CHAIN) == ["blocked", "other"]
    assert asked(CHAIN, blocked="no") == ["blocked", "other"]
    assert asked(CHAIN, blocked="yes") == ["blocked", "call", "other"]
    assert asked(CHAIN, blocked="yes", call="yes") == ["blocked", "call", "hour", "other"]


def test_a_hidden_question_counts_as_unanswered() -> None:
    assert asked(CHAIN, blocked="no", call="yes", hour="9:00") == ["blocked", "other"]
    read = forms.read(CHAIN, {"blocked": "no", "call": "yes", "hour": "midi"})
    assert read.ok
    assert read.answers == {"blocked": False}
    assert read.values["hour"] == "midi"


def test_what_cannot_be_chosen_counts_as_unanswered() -> None:
    assert asked(CHAIN, blocked="perhaps", call="yes") == ["blocked", "other"]


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        (Condition(field="a", one_of=("a", "b")), "b", True),
        (Condition(field="a", one_of=("a",)), "b", False),
        (Condition(field="a", one_of=("a",)), "", False),
        (Condition(field="a", one_of=("a",)), "b\na", True),
        (Condition(field="a", none_of=("a",)), "b", True),
        (Condition(field="a", none_of=("a",)), "a\nb", False),
        (Condition(field="a", none_of=("a",)), "", False),
        (Condition(field="a", answered=True), "b", True),
        (Condition(field="a", answered=True), "", False),
        (Condition(field="a", answered=False), "", True),
        (Condition(field="a", answered=False), "b", False),
        (Condition(field="a", answered=False), "c", True),
    ],
)
def test_what_a_condition_asks(condition: Condition, value: str, holds: bool) -> None:
    form = a_form(section("s", asks("a", "choices"), asks("b", shown_when=(condition,))))
    assert (asked(form, a=value) == ["a", "b"]) is holds


def test_all_conditions_have_to_hold() -> None:
    both = (*when("a", "a"), *when("b", "yes"))
    form = a_form(
        section("s", asks("a", "choice"), asks("b", "checkbox", required=False)),
        section("t", asks("c"), shown_when=both),
    )
    assert asked(form, a="a") == ["a", "b"]
    assert asked(form, a="a", b="yes") == ["a", "b", "c"]


def test_what_was_answered_and_is_not_asked_any_more_is_told() -> None:
    values = {"blocked": "no", "call": "yes", "hour": "midi", "other": "x"}
    told = forms.hidden_answers(CHAIN, values, ("fr",), said)
    assert [(one.key, one.display) for one in told] == [
        ("call", {"fr": "Yes"}),
        ("hour", "midi"),
    ]
    kept = forms.answered(CHAIN, values, ("fr",), said)
    assert [one.key for one in kept[0].answers] == ["blocked", "other"]


def test_what_the_portal_filled_in_itself_is_not_told() -> None:
    form = a_form(
        section(
            "s",
            asks("a", "yes_no"),
            asks("b", "phone", prefill="person.phone", shown_when=when("a", "yes")),
        )
    )
    known = {"person.phone": "0472000000"}
    values = {**forms.prefill(form, known), "a": "no"}
    assert forms.hidden_answers(form, values, ("fr",), said, known=known) == ()
    (told,) = forms.hidden_answers(form, {**values, "b": "1234"}, ("fr",), said, known=known)
    assert told.display == "1234"


# ── What the page itself decides ─────────────────────────────────────────────────────────────────


def drawn(form: Form, **values: str) -> dict[str, bool]:
    """The questions that a page holds, each with whether it shows them."""
    page = forms.Submission(form, values)
    return {
        question.field.key: question.asked
        for group in page.groups
        for entry in group.entries
        for question in entry.drawn
    }


def test_a_page_holds_what_its_own_answers_may_bring_up() -> None:
    assert drawn(CHAIN, blocked="yes") == {
        "blocked": True,
        "call": True,
        "hour": False,
        "other": True,
    }
    assert forms.Submission(CHAIN, {}).hidden_here() == "call hour"
    assert forms.Submission(CHAIN, {}).changes_as_one_answers


def test_a_page_does_not_hold_what_another_page_decides() -> None:
    form = a_form(
        section("s", asks("a", "yes_no")),
        section("t", asks("b", shown_when=when("a", "yes")), asks("c")),
        section("u", asks("d", shown_when=when("b", answered=True)), asks("e")),
        pages=(Page(sections=("s",)), Page(sections=("t", "u"))),
    )
    page = forms.pages_of(form)[1]
    assert drawn(page, a="no") == {"c": True, "e": True}
    assert drawn(page, a="yes") == {"b": True, "c": True, "d": False, "e": True}
    (_, later) = forms.Submission(page, {"a": "yes"}).groups
    assert later.entries[0].questions[0].here == when("b", answered=True)
    assert not forms.Submission(page, {"a": "no"}).changes_as_one_answers


def test_new_questions_are_shown_before_one_goes_on() -> None:
    first = forms.read(CHAIN, {"blocked": "yes", forms.UNSEEN: "call hour"})
    assert (first.ok, first.wrong, first.anew) == (False, False, ("call",))
    assert [one.key for one in first.brought_up()] == ["call"]
    second = forms.read(CHAIN, {"blocked": "yes", "call": "yes", forms.UNSEEN: "hour"})
    assert second.anew == ("hour",)
    third = forms.read(CHAIN, {"blocked": "yes", "call": "yes", forms.UNSEEN: ""})
    assert (third.anew, set(third.errors)) == ((), {"hour"})


def test_a_new_question_that_is_answered_already_is_not_new() -> None:
    sent = {"blocked": "yes", "call": "no", forms.UNSEEN: "call hour"}
    assert forms.read(CHAIN, sent).ok


# ── Entries ──────────────────────────────────────────────────────────────────────────────────────

DEVICES = a_form(
    section("start", asks("several", "yes_no")),
    section(
        "devices",
        asks("model"),
        asks("broken", "yes_no"),
        asks("how", shown_when=(*when("broken", "yes"), *when("several", "yes"))),
        asks("site", "address", required=False),
        repeats=Repeats(minimum=1, maximum=3, entry={"fr": "Appareil"}),
    ),
    section("end", asks("last")),
)


def test_each_entry_is_asked_by_itself() -> None:
    values = {
        "several": "yes",
        "devices.0.broken": "yes",
        "devices.1.broken": "no",
        "devices.1.model": "X",
    }
    assert asked(DEVICES, **values) == [
        "several",
        "devices.0.model",
        "devices.0.broken",
        "devices.0.how",
        "devices.0.site",
        "devices.1.model",
        "devices.1.broken",
        "devices.1.site",
        "last",
    ]


def test_there_are_as_many_entries_as_were_counted_or_filled() -> None:
    def count(**values: str) -> int:
        return len(forms.walked(DEVICES, values)[1].entries)

    assert count() == 1
    assert count(**{"devices.count": "2"}) == 2
    assert count(**{"devices.count": "2", "devices.2.model": "X"}) == 3
    assert count(**{"devices.count": "2", "devices.7.model": ""}) == 2
    assert count(**{"devices.count": "many"}) == 1
    assert count(**{"devices.count": "999"}) == 50


def test_too_many_entries_are_refused_and_kept() -> None:
    values = {f"devices.{at}.model": "X" for at in range(4)}
    read = forms.read(DEVICES, values)
    assert read.errors["devices.count"].facts == {"most": 3}
    assert read.values["devices.3.model"] == "X"
    assert ("s-devices", None, read.errors["devices.count"]) in list(read.complaints())


def test_an_entry_is_added_up_to_the_most() -> None:
    values: dict[str, str] = {"devices.0.model": "X"}
    for _ in range(5):
        values = forms.with_added(DEVICES, values, "devices")
    assert values == {"devices.0.model": "X", "devices.count": "3"}
    assert forms.with_added(DEVICES, values, "start") == values
    assert forms.with_added(DEVICES, values, "nothing") == values


def test_an_entry_goes_and_those_behind_it_move_up() -> None:
    values = {
        "devices.count": "3",
        "devices.0.model": "X",
        "devices.1.model": "Y",
        "devices.2.model": "Z",
        "devices.2.site.city": "Givors",
        "last": "l",
    }
    assert forms.without_entry(DEVICES, values, "devices", 1) == {
        "devices.count": "2",
        "devices.0.model": "X",
        "devices.1.model": "Z",
        "devices.1.site.city": "Givors",
        "last": "l",
    }
    assert forms.without_entry(DEVICES, values, "devices", 3) == values
    assert forms.without_entry(DEVICES, values, "start", 0) == values


def test_the_buttons_of_entries_say_which() -> None:
    values = {"devices.0.model": "X", "devices.1.model": "Y"}
    assert forms.rearranged(DEVICES, values, {}) == values
    assert forms.rearranged(DEVICES, values, {forms.ADD: "devices"})["devices.count"] == "3"
    assert forms.rearranged(DEVICES, values, {forms.REMOVE: "devices.0"}) == {
        "devices.0.model": "Y",
        "devices.count": "1",
    }
    assert forms.rearranged(DEVICES, values, {forms.REMOVE: "devices.x"}) == values
    assert [forms.rearranges(sent) for sent in ({}, {forms.ADD: "a"}, {forms.REMOVE: "a.0"})] == [
        False,
        True,
        True,
    ]


def test_an_entrys_answers_stand_under_its_number() -> None:
    values = {"several": "no", "devices.0.model": "X", "devices.1.model": "Y"}
    sections = forms.answered(DEVICES, values, ("fr", "en"), said)
    assert [(one.key, one.title) for one in sections[1:]] == [
        ("devices.0", {"fr": "Appareil 1", "en": "Appareil 1"}),
        ("devices.1", {"fr": "Appareil 2", "en": "Appareil 2"}),
    ]
    read = forms.read(DEVICES, {**values, "devices.0.broken": "no"})
    assert ("f-devices.1.broken", {"fr": "Appareil 2"}, read.errors["devices.1.broken"]) in list(
        read.complaints()
    )


def test_the_least_of_entries_are_filled_in() -> None:
    form = a_form(
        section("s", asks("a", prefill="person.phone"), repeats=Repeats(minimum=2, maximum=3))
    )
    assert forms.prefill(form, {"person.phone": "1"}) == {"s.0.a": "1", "s.1.a": "1"}


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────


def test_a_short_form_is_one_page() -> None:
    assert forms.pages_of(CHAIN) == (CHAIN,)


def test_a_long_form_has_a_page_for_each_section() -> None:
    form = a_form(
        section("s", *(asks(f"a{at}") for at in range(8))),
        section("t", asks("b")),
    )
    assert [[one.key for one in page.sections] for page in forms.pages_of(form)] == [["s"], ["t"]]
    assert forms.whole_of(forms.pages_of(form)[0]) == form


def test_a_page_on_which_nothing_is_asked_is_passed_over() -> None:
    form = a_form(
        section("s", asks("a", "yes_no")),
        section("t", asks("b"), shown_when=when("a", "yes")),
        section("u", asks("c")),
        pages=tuple(Page(sections=(key,)) for key in "stu"),
    )
    assert [page.sections[0].key for page in forms.asked_pages(form, {})] == ["s", "u"]
    assert len(forms.asked_pages(form, {"a": "yes"})) == 3


def test_a_page_reads_its_own_questions_and_keeps_the_others_values() -> None:
    first, second = forms.pages_of(
        a_form(
            section("s", asks("a", "yes_no"), asks("b", "password")),
            section("t", asks("c", shown_when=when("a", "yes")), asks("d")),
            pages=(Page(sections=("s",)), Page(sections=("t",))),
        )
    )
    read = forms.read(second, {"a": "yes", "b": "secret", "c": "x"})
    assert (read.answers, set(read.errors)) == ({"c": "x"}, {"d"})
    assert read.values == {"a": "yes", "b": "secret", "c": "x", "d": ""}
    assert dict(read.beside()) == {"a": "yes"}
    assert dict(forms.Submission(first, read.values).beside()) == {"c": "x"}
    assert dict(read.carried()) == {"a": "yes", "c": "x"}
