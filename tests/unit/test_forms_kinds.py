"""The kinds of questions beside plain text: what each takes, refuses, keeps and shows."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis import clock, forms
from chassis.forms import patterns
from contracts.forms import AttachedFile, Choice, Field, Form, Section

ABC = tuple(Choice(value=one, label={"fr": one.upper()}) for one in "abc")


def a_field(kind: Any, **changes: Any) -> Field:
    """A mandatory question of that kind."""
    given = {"label": {"fr": "Ville"}, "choices": ABC if kind in ("choice", "choices") else ()}
    return Field(key="x", kind=kind, **{**given, **changes})


def a_form(*fields: Field) -> Form:
    """A form of one section."""
    return Form(sections=(Section(key="s", title={"fr": "S"}, fields=fields),))


def answer_to(field: Field, value: str, **changes: Any) -> Any:
    """The answer, where there is one."""
    return forms.read(a_form(field), {"x": value}, **changes).answers.get("x")


def errors_of(field: Field, values: dict[str, str], **changes: Any) -> dict[str, str]:
    """What is said, by input."""
    read = forms.read(a_form(field), values, **changes)
    return {name: one.said("fr", lambda msgid, _: msgid) for name, one in read.errors.items()}


def kept(field: Field, values: dict[str, str], **changes: Any) -> Any:
    """The one answer that is kept."""
    (section,) = forms.answered(a_form(field), values, ("fr", "en"), _said, **changes)
    (answer,) = section.answers
    return answer


def _said(msgid: str, language: str) -> str:
    return f"{language}:{msgid}"


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("09:30", time(9, 30)),
        ("9:30", time(9, 30)),
        ("09:30:00", time(9, 30)),
        ("9h30", time(9, 30)),
        ("9 h 30", time(9, 30)),
        ("9H", time(9)),
        ("9 h", time(9)),
        ("9", time(9)),
        ("9.30", time(9, 30)),
        ("0h05", time(0, 5)),
        ("23:59", time(23, 59)),
    ],
)
def test_times_from_a_picker_and_by_hand(typed: str, answer: time) -> None:
    assert answer_to(a_field("time"), typed) == answer


@pytest.mark.parametrize("typed", ["24:00", "9:60", "midi", "9:3", "930", "-1", "٩:٣٠"])
def test_times_that_are_none(typed: str) -> None:
    assert errors_of(a_field("time"), {"x": typed}) == {
        "x": "Give “Ville” as hours and minutes, such as 14:30."
    }


def test_a_time_is_kept_for_machines_and_for_readers() -> None:
    answer = kept(a_field("time"), {"x": "9h05"})
    assert (answer.value, answer.display) == ("09:05", {"fr": "09:05", "en": "09:05"})


def test_a_time_has_its_bounds() -> None:
    field = a_field("time", earliest="08:00", latest="18:30")
    assert answer_to(field, "08:00") == time(8)
    assert answer_to(field, "18:30") == time(18, 30)
    assert errors_of(field, {"x": "7:59"}) == {"x": "Give “Ville” as 08:00 or later."}
    assert errors_of(field, {"x": "18:31"}) == {"x": "Give “Ville” as 18:30 or earlier."}


# ── Dates and their bounds ───────────────────────────────────────────────────────────────────────


def test_a_date_has_its_bounds() -> None:
    field = a_field("date", earliest="2018-04-01", latest="2018-04-30")
    assert answer_to(field, "2018-04-01") == date(2018, 4, 1)
    assert answer_to(field, "2018-04-30") == date(2018, 4, 30)
    (early,) = forms.read(a_form(field), {"x": "2018-03-31"}).errors.values()
    assert early.facts == {"earliest": date(2018, 4, 1)}
    (late,) = forms.read(a_form(field), {"x": "2018-05-01"}).errors.values()
    assert late.facts == {"latest": date(2018, 4, 30)}


def test_a_bound_may_be_today() -> None:
    day = date(2018, 4, 5)
    past, coming = a_field("date", latest="today"), a_field("date", earliest="today")
    assert answer_to(past, "2018-04-05", today=day) == day
    assert answer_to(coming, "2018-04-05", today=day) == day
    assert errors_of(past, {"x": "2018-04-06"}, today=day) == {
        "x": "Give “Ville” as today or an earlier day."
    }
    assert errors_of(coming, {"x": "2018-04-04"}, today=day) == {
        "x": "Give “Ville” as today or a later day."
    }


def test_who_says_today_is_believed_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2018, 4, 5, 23, tzinfo=UTC))
    assert answer_to(a_field("date", latest="today"), "2018-04-06") == date(2018, 4, 6)
    assert errors_of(a_field("date", latest="today"), {"x": "2018-04-07"})
    monkeypatch.setattr(clock, "now", lambda: datetime(2018, 4, 5, 1, tzinfo=UTC))
    assert answer_to(a_field("date", earliest="today"), "2018-04-04") == date(2018, 4, 4)
    assert errors_of(a_field("date", earliest="today"), {"x": "2018-04-03"})


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("date", {"earliest": "5 avril"}),
        ("date", {"latest": "2018-02-30"}),
        ("time", {"earliest": "today"}),
        ("time", {"latest": "25:00"}),
        ("text", {"latest": "today"}),
    ],
)
def test_a_bound_suits_its_kind(kind: str, changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        a_field(kind, **changes)


# ── Several choices, yes or no ───────────────────────────────────────────────────────────────────


def test_several_are_chosen_in_the_order_in_which_they_are_offered() -> None:
    field = a_field("choices")
    assert answer_to(field, "c\r\na\nc") == ("a", "c")
    answer = kept(field, {"x": "c\na"})
    assert answer.value == "a\nc"
    assert answer.display == {"fr": "A\nC", "en": "A\nC"}


def test_of_several_choices_each_is_one() -> None:
    assert errors_of(a_field("choices"), {"x": "a\nd"}) == {
        "x": "Choose among the answers to “Ville”."
    }
    assert errors_of(a_field("choices"), {"x": " \n"}) == {"x": "Choose an answer to “Ville”."}
    assert answer_to(a_field("choices", required=False), "") is None


def test_yes_or_no_is_answered_by_one_of_the_two() -> None:
    assert answer_to(a_field("yes_no"), "yes") is True
    assert answer_to(a_field("yes_no"), "no") is False
    assert errors_of(a_field("yes_no"), {"x": "perhaps"}) == {
        "x": "Choose one of the answers to “Ville”."
    }
    assert errors_of(a_field("yes_no"), {}) == {"x": "Choose an answer to “Ville”."}
    assert answer_to(a_field("yes_no", required=False), "") is None
    answer = kept(a_field("yes_no"), {"x": "no"})
    assert (answer.value, answer.display) == ("no", {"fr": "fr:No", "en": "en:No"})


# ── Addresses ────────────────────────────────────────────────────────────────────────────────────

AT = {"x.street": " 2 place de la Mairie ", "x.postcode": "69700", "x.city": "Givors"}


def test_an_address_is_its_parts() -> None:
    read = forms.read(a_form(a_field("address")), AT)
    assert read.ok
    assert read.answers["x"] == forms.Address("2 place de la Mairie", "69700", "Givors")
    answer = kept(a_field("address"), AT)
    assert answer.value == answer.display == "2 place de la Mairie\n69700 Givors"


def test_each_part_of_an_address_is_told_by_itself() -> None:
    assert errors_of(a_field("address"), {"x.city": "Givors"}) == {
        "x.street": "Fill in the street of “Ville”.",
        "x.postcode": "Fill in the postcode of “Ville”.",
    }
    assert errors_of(a_field("address"), {**AT, "x.postcode": "là-bas"}) == {
        "x.postcode": "Give the postcode of “Ville” in digits, such as 69700."
    }
    assert set(errors_of(a_field("address"), {**AT, "x.street": "a" * 201})) == {"x.street"}


def test_an_address_that_may_be_left_open_is_whole_or_not_at_all() -> None:
    field = a_field("address", required=False)
    assert forms.read(a_form(field), {}).ok
    assert set(errors_of(field, {"x.city": "Givors"})) == {"x.street", "x.postcode"}


def test_an_address_is_filled_in_by_its_parts() -> None:
    field = a_field("address", prefill="organisation.address")
    known = {"organisation.city": "Givors", "organisation.postcode": "69700"}
    assert forms.prefill(a_form(field), known) == {"x.city": "Givors", "x.postcode": "69700"}


# ── Files ────────────────────────────────────────────────────────────────────────────────────────

FILES = {
    UUID(int=at): AttachedFile(
        id=UUID(int=at), name=f"écran {at}.png", size_bytes=12_000, media_type="image/png"
    )
    for at in range(1, 9)
}


def ids(*numbers: int) -> str:
    """The value that attaches these files."""
    return "\n".join(str(UUID(int=number)) for number in numbers)


def test_files_are_answers_of_whoever_may_attach_them() -> None:
    field = a_field("file")
    read = forms.read(a_form(field), {"x": ids(2, 1, 2, 99)}, FILES)
    assert read.answers["x"] == (FILES[UUID(int=2)], FILES[UUID(int=1)])
    assert read.attached("x") == read.answers["x"]
    answer = kept(field, {"x": ids(2, 1)}, files=FILES)
    assert answer.files == read.answers["x"]
    assert (answer.value, answer.display) == (ids(2, 1), "écran 2.png\nécran 1.png")


def test_a_file_that_is_mandatory_is_asked_for() -> None:
    assert errors_of(a_field("file"), {"x": ids(99)}) == {"x": "Attach a file to “Ville”."}
    assert answer_to(a_field("file", required=False), ids(99)) is None


def test_a_question_takes_so_many_files() -> None:
    assert errors_of(a_field("file"), {"x": ids(1, 2, 3, 4, 5, 6)}, files=FILES) == {
        "x": "Keep 5 files at most under “Ville”: remove the others."
    }
    assert set(errors_of(a_field("file", max_files=1), {"x": ids(1, 2)}, files=FILES)) == {"x"}


# ── Lengths and patterns ─────────────────────────────────────────────────────────────────────────


def test_a_text_has_a_shortest_length() -> None:
    assert errors_of(a_field("text", min_length=3), {"x": "ab"}) == {
        "x": "Write “Ville” with 3 characters at least."
    }
    assert answer_to(a_field("text", min_length=3), "abc") == "abc"
    assert answer_to(a_field("text", min_length=3, required=False), "") is None


def test_a_pattern_has_words_of_its_own() -> None:
    words = {"fr": "Indiquez deux lettres et trois chiffres."}
    field = a_field("text", pattern=r"[A-Z]{2}-?\d{3}", pattern_words=words)
    assert answer_to(field, "AB-123") == "AB-123"
    assert errors_of(field, {"x": "AB-1234"}) == {"x": words["fr"]}
    assert errors_of(a_field("text", pattern="a"), {"x": "b"}) == {
        "x": "Write “Ville” in the form that is asked for."
    }


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("", [""], ["a"]),
        ("abc", ["abc"], ["ab", "abcd", ""]),
        ("a|bc|", ["a", "bc", ""], ["b", "abc"]),
        ("a?b*c+", ["c", "abbc", "acc"], ["ab", "aac", ""]),
        (r"\d{2}", ["12"], ["1", "123", "١٢"]),
        (r"\d{2,}", ["12", "1" * 50], ["1"]),
        (r"\d{1,3}", ["1", "123"], ["", "1234"]),
        (r"a{0,2}b", ["b", "aab"], ["aaab"]),
        (r"(ab){2}", ["abab"], ["ab", "ababab"]),
        (r"(a|b)*c", ["c", "abbac"], ["abd"]),
        (r"[^0-9]+", ["abc"], ["a1", ""]),
        (r"[a-f0-9-]+", ["a-9"], ["g"]),
        (r"[\d.]+", ["1.2"], ["1,2"]),
        (r"\w\s\w", ["a b", "_ 1"], ["é b", "ab"]),
        (r"\.\\\(", [".\\("], ["a"]),
        (".{3}", ["aé!"], ["ab"]),
        ("é+", ["éé"], ["e"]),
        (r"((a?)*)*b", ["b", "aab"], ["a"]),
    ],
)
def test_the_dialect_of_patterns(pattern: str, fitting: list[str], others: list[str]) -> None:
    patterns.check(pattern)
    assert [text for text in fitting if not patterns.fits(pattern, text)] == []
    assert [text for text in others if patterns.fits(pattern, text)] == []


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "[",
        "[]",
        "[a",
        "[z-a]",
        "[[:alpha:]]",
        "*",
        "a**",
        "a+?",
        "a{",
        "a{,3}",
        "a{3,2}",
        "a{0}",
        "a{1000}",
        "(a{99}){99}",
        "(?i)a",
        "(?=a)",
        r"\1",
        r"\b",
        "\\",
        "^a$",
        "a" * 201,
        "(" * 30 + ")" * 30,
    ],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(patterns.BadPattern):
        patterns.check(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "a?" * 60 + "a" * 60])
def test_no_pattern_makes_one_wait(pattern: str) -> None:
    """These take a matcher that tries one way after another longer than the world has stood."""
    assert not patterns.fits(pattern, "a" * 40 + "!")


@given(st.text(alphabet=r"ab(){}[]|?*+.\d-^,012", max_size=20), st.text("ab01", max_size=20))
def test_a_pattern_is_refused_or_serves(pattern: str, text: str) -> None:
    try:
        patterns.check(pattern)
    except patterns.BadPattern:
        return
    patterns.fits(pattern, text)
