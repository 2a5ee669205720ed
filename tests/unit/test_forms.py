"""The form engine: what is asked, what is read from a submission, what is kept of it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis import forms
from chassis.problems import Conflict, Invalid
from chassis.words import in_words, say, shown
from contracts.forms import AnsweredSection, Choice, Field, Form, Section

LANGUAGES = ("fr", "en")


def translate(msgid: str, language: str) -> str:
    """Marks what has gone through a catalogue."""
    return f"{language}:{msgid}"


def a_field(kind: Any = "text", **changes: Any) -> Field:
    """A mandatory question; one that chooses has two answers."""
    choices = (Choice(value="a", label={"fr": "Un"}), Choice(value="b", label={"fr": "Deux"}))
    given = {"choices": choices if kind == "choice" else (), "label": {"fr": "Ville"}}
    return Field(key="x", kind=kind, **{**given, **changes})


def a_form(*fields: Field, **changes: Any) -> Form:
    """A form of one section."""
    section = {"key": "s", "title": {"fr": "Section"}, "fields": fields}
    return Form(sections=(Section(**{**section, **changes}),))


def answer_to(field: Field, value: str) -> Any:
    """The answer, where there is one."""
    return forms.read(a_form(field), {"x": value}).answers.get("x")


def error_of(field: Field, value: str) -> str | None:
    """What is said at the field."""
    error = forms.read(a_form(field), {"x": value}).errors.get("x")
    return error.said("fr", lambda msgid, _language: msgid) if error else None


# ── Definitions ──────────────────────────────────────────────────────────────────────────────────


def test_two_questions_never_have_one_key() -> None:
    with pytest.raises(ValidationError, match="more than one thing: x"):
        a_form(a_field(), a_field())


def test_two_sections_never_have_one_key() -> None:
    section = Section(key="s", title={"fr": "S"}, fields=())
    with pytest.raises(ValidationError, match="more than one thing: s"):
        Form(sections=(section, section))


def test_a_choice_needs_choices() -> None:
    with pytest.raises(ValidationError, match="choices are given"):
        a_field("choice", choices=())


def test_only_a_choice_has_choices() -> None:
    with pytest.raises(ValidationError, match="choices are given"):
        a_field("text", choices=(Choice(value="a", label="A"),))


def test_two_choices_never_have_one_value() -> None:
    twice = (Choice(value="a", label="A"), Choice(value="a", label="B"))
    with pytest.raises(ValidationError, match="one value"):
        a_field("choice", choices=twice)


@pytest.mark.parametrize("key", ["", "_key", "Ville", "é", "a" * 41, "a-b", "a b"])
def test_a_key_is_a_plain_name_that_pages_do_not_keep_for_themselves(key: str) -> None:
    with pytest.raises(ValidationError):
        Field(key=key, kind="text", label="X")


def test_a_form_survives_its_travel_in_an_event() -> None:
    form = a_form(a_field("number", minimum=Decimal("0.5"), maximum=Decimal(3), decimals=1))
    assert Form.model_validate_json(form.model_dump_json()) == form


def test_a_form_of_a_later_version_is_still_read() -> None:
    data = a_form(a_field()).model_dump(mode="json")
    data["colours"] = 2
    data["sections"][0]["fields"][0]["only_if"] = "y"
    assert Form.model_validate(data) == a_form(a_field())


def test_an_unknown_question_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        a_form(a_field()).field("y")


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────


def test_a_value_is_trimmed_and_its_lines_end_alike() -> None:
    field = a_field("long_text")
    assert answer_to(field, " \r\n un\r\ndeux\rtrois \t") == "un\ndeux\ntrois"


def test_a_value_of_one_line_stays_one() -> None:
    assert answer_to(a_field(), "un\r\ndeux\ttrois") == "un deux trois"


def test_control_characters_are_left_out() -> None:
    assert answer_to(a_field(), "Ly\x00on\x1b[31m\ud800") == "Lyon[31m"


def test_letters_and_their_accents_are_put_together() -> None:
    assert answer_to(a_field(), "E\u0301vry") == "\u00c9vry"


def test_a_password_is_kept_as_it_was_typed() -> None:
    assert answer_to(a_field("password"), "  E\u0301 \r\n") == "  E\u0301 \r\n"


def test_what_is_not_asked_is_passed_over() -> None:
    read = forms.read(a_form(a_field()), {"x": "Lyon", "role": "operator"})
    assert read.values == {"x": "Lyon"}
    assert read.ok


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "Fill in “Ville”."),
        ("long_text", "Fill in “Ville”."),
        ("choice", "Choose an answer to “Ville”."),
        ("checkbox", "Tick “Ville” to go on."),
    ],
)
def test_a_mandatory_answer_that_lacks_is_asked_for_by_its_label(kind: str, message: str) -> None:
    assert error_of(a_field(kind), " \u00a0 " if kind == "text" else "") == message


def test_a_question_may_have_its_own_words_for_that() -> None:
    assert error_of(a_field(missing={"fr": "Indiquez la ville."}), "") == "Indiquez la ville."


def test_own_words_may_hold_a_per_cent_sign() -> None:
    assert error_of(a_field(missing={"fr": "Indiquez le taux en %."}), "") == (
        "Indiquez le taux en %."
    )


def test_a_question_that_may_be_left_open_is_not_among_the_answers() -> None:
    read = forms.read(a_form(a_field(required=False)), {})
    assert read.ok
    assert read.answers == {}
    assert read.text("x") == ""


def test_a_box_that_may_stay_empty_is_answered_by_no() -> None:
    assert answer_to(a_field("checkbox", required=False), "") is False
    assert answer_to(a_field("checkbox"), forms.TICKED) is True
    assert error_of(a_field("checkbox"), "on") == "Tick “Ville” to go on."


def test_a_value_too_long_is_refused_and_kept() -> None:
    read = forms.read(a_form(a_field(max_length=3)), {"x": "Lyon"})
    assert read.values["x"] == "Lyon"
    assert read.errors["x"].facts == {"longest": 3}


@pytest.mark.parametrize("kind", sorted(forms.LONGEST))
def test_every_text_has_a_longest_length(kind: str) -> None:
    assert error_of(a_field(kind), "a" * 20_000) is not None


@pytest.mark.parametrize(
    "address",
    [
        "mairie@lyon.fr",
        "Jean.O'Neil+portail@Ville-Lyon.FR",
        "a@b.co",
        "mairie@évry.fr",
        "mairie@xn--vry-9la.fr",
        "x_y@sub.domain.example",
        f"{'a' * 64}@lyon.fr",
    ],
)
def test_mail_addresses_that_are_ones(address: str) -> None:
    assert answer_to(a_field("email"), f" {address} ") == address


@pytest.mark.parametrize(
    "address",
    [
        "mairie",
        "mairie@",
        "@lyon.fr",
        "mairie@lyon",
        "mai rie@lyon.fr",
        "mairie@@lyon.fr",
        "mairie@lyon..fr",
        "mairie@.lyon.fr",
        "mairie@-lyon.fr",
        "mairie@lyon-.fr",
        ".mairie@lyon.fr",
        "mairie.@lyon.fr",
        "mai..rie@lyon.fr",
        "mairie@127.0.0.1",
        "mairie@[127.0.0.1]",
        "mairie@lyon.fr\nBcc: all@lyon.fr",
        "a@lyon.fr,b@lyon.fr",
        "<mairie@lyon.fr>",
        "mairie@lyon.fr.",
        "maırıe@lyon.fr",
        "=?utf-8?q?a=0D=0ABcc=3A_b=40c.fr?=@lyon.fr",
        f"{'a' * 65}@lyon.fr",
        f"a@{'b' * 64}.fr",
        f"a@{'é' * 70}.fr",
    ],
)
def test_mail_addresses_that_are_none(address: str) -> None:
    assert error_of(a_field("email"), address)


@given(st.text(max_size=300))
def test_no_submission_ever_breaks_the_reader(value: str) -> None:
    for kind in ("text", "long_text", "email", "phone", "number", "date", "choice", "checkbox"):
        read = forms.read(a_form(a_field(kind)), {"x": value})
        assert read.ok != bool(read.errors)
        if read.ok:
            forms.answered(read.form, read.values, LANGUAGES, translate)


@given(st.text(max_size=60))
def test_an_answer_that_was_accepted_is_accepted_again(value: str) -> None:
    for kind in ("text", "long_text", "email", "phone"):
        first = answer_to(a_field(kind), value)
        if first is not None:
            assert answer_to(a_field(kind), first) == first


@pytest.mark.parametrize(
    ("address", "looked_up"),
    [
        (" Mairie@Lyon.FR ", "mairie@lyon.fr"),
        ("mairie@ÉVRY.fr", "mairie@xn--vry-9la.fr"),
        ("mairie@e\u0301vry.fr", "mairie@xn--vry-9la.fr"),
        ("mairie@xn--vry-9la.fr", "mairie@xn--vry-9la.fr"),
        ("not an address", "not an address"),
        (f"a@{'é' * 70}.fr", f"a@{'é' * 70}.fr"),
    ],
)
def test_an_address_is_looked_up_in_one_form(address: str, looked_up: str) -> None:
    assert forms.normalise_address(address) == looked_up


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("04 72 26 06 86", "0472260686"),
        ("04.72.26.06.86", "0472260686"),
        ("04-72-26-06-86", "0472260686"),
        ("0472260686", "0472260686"),
        ("+33 4 72 26 06 86", "0472260686"),
        ("+33 (0)4 72 26 06 86", "0472260686"),
        ("0033472260686", "0472260686"),
        ("0590 12 34 56", "0590123456"),
        ("+590 590 12 34 56", "+590590123456"),
        ("+44 20 7946 0958", "+442079460958"),
        ("00 44 20 7946 0958", "+442079460958"),
    ],
)
def test_phone_numbers_of_france_and_of_elsewhere(typed: str, number: str) -> None:
    assert answer_to(a_field("phone"), typed) == number


@pytest.mark.parametrize(
    "typed",
    ["", "04 72 26", "call me", "04 72 26 06 86 99", "+", "+0472", "٠٤٧٢٢٦٠٦٨٦", "1234567890"],
)
def test_phone_numbers_that_are_none(typed: str) -> None:
    assert error_of(a_field("phone"), typed)


@pytest.mark.parametrize(
    ("typed", "decimals", "number"),
    [
        ("12", 0, "12"),
        ("1 234", 0, "1234"),
        ("1\u202f234,50", 2, "1234.50"),
        ("3,5", 1, "3.5"),
        ("3.5", 1, "3.5"),
        ("-4", 0, "-4"),
        ("\u22124", 0, "-4"),
        ("007", 0, "7"),
    ],
)
def test_numbers_as_they_are_written_here(typed: str, decimals: int, number: str) -> None:
    assert answer_to(a_field("number", decimals=decimals), typed) == Decimal(number)


@pytest.mark.parametrize(
    ("typed", "changes", "message"),
    [
        ("douze", {}, "Give “Ville” in digits."),
        ("1,2,3", {"decimals": 2}, "Give “Ville” in digits."),
        ("1e9", {}, "Give “Ville” in digits."),
        ("NaN", {}, "Give “Ville” in digits."),
        ("٣", {}, "Give “Ville” in digits."),
        ("3,5", {}, "Give “Ville” as a whole number."),
        ("3,555", {"decimals": 2}, "Give “Ville” with 2 digits after the comma at most."),
        ("0", {"minimum": Decimal(1)}, "Give “Ville” as 1 or more."),
        ("9", {"maximum": Decimal(8)}, "Give “Ville” as 8 or less."),
    ],
)
def test_numbers_that_are_refused(typed: str, changes: dict[str, Any], message: str) -> None:
    assert error_of(a_field("number", **changes), typed) == message


@pytest.mark.parametrize(
    "typed", ["2018-04-05", "05/04/2018", "5/4/2018", "05.04.2018", "05-04-2018", "5 4 2018"]
)
def test_dates_from_a_picker_and_by_hand(typed: str) -> None:
    assert answer_to(a_field("date"), typed) == date(2018, 4, 5)


@pytest.mark.parametrize("typed", ["31/02/2018", "2018-13-01", "hier", "05/04/18", "0000-01-01"])
def test_dates_that_are_none(typed: str) -> None:
    assert error_of(a_field("date"), typed)


def test_one_of_the_choices_is_chosen() -> None:
    assert answer_to(a_field("choice"), "b") == "b"
    assert error_of(a_field("choice"), "c") == "Choose one of the answers to “Ville”."


# ── What verbs refuse ────────────────────────────────────────────────────────────────────────────


class NameTaken(Invalid):
    """A refusal of one field."""

    title = "%(name)s is taken."
    field = "x"


def test_a_refusal_stands_at_its_field_and_leaves_the_values() -> None:
    read = forms.read(a_form(a_field()), {"x": "Lyon"}).refused(NameTaken(name="Lyon"))
    assert not read.ok
    assert read.values == {"x": "Lyon"}
    assert read.errors["x"].said("fr", translate) == "fr:Lyon is taken."


def test_a_refusal_of_no_field_here_is_about_the_whole() -> None:
    form = a_form(a_field())
    elsewhere = NameTaken(name="Lyon")
    elsewhere.field = "y"
    read = forms.read(form, {"x": "Lyon"}).refused(elsewhere).refused(Conflict())
    assert read.errors == {}
    assert len(read.refusals) == 2
    assert not read.ok


# ── What is known ────────────────────────────────────────────────────────────────────────────────


def test_what_is_known_is_filled_in() -> None:
    form = a_form(
        a_field("email", prefill="person.email"),
        Field(key="y", kind="text", label={"fr": "Y"}),
        Field(key="z", kind="text", label={"fr": "Z"}, prefill="person.phone"),
    )
    known = {"person.email": "a@lyon.fr", "person.phone": "", "x": "no", "y": "no"}
    assert forms.prefill(form, known) == {"x": "a@lyon.fr"}
    opened = forms.opened(form, known)
    assert opened.values == {"x": "a@lyon.fr"}
    assert opened.ok


# ── What is kept ─────────────────────────────────────────────────────────────────────────────────


def kept(field: Field, value: str) -> AnsweredSection:
    """The one section that is kept."""
    (section,) = forms.answered(a_form(field), {"x": value}, LANGUAGES, translate)
    return section


@pytest.mark.parametrize(
    ("field", "typed", "value", "display"),
    [
        (a_field(), " Lyon ", "Lyon", "Lyon"),
        (a_field("phone"), "+33472260686", "0472260686", "04 72 26 06 86"),
        (a_field("phone"), "+442079460958", "+442079460958", "+442079460958"),
        (a_field("choice"), "b", "b", {"fr": "Deux", "en": "Deux"}),
        (a_field("checkbox"), "yes", "yes", {"fr": "fr:Yes", "en": "en:Yes"}),
        (
            a_field("date"),
            "05/04/2018",
            "2018-04-05",
            {"fr": "5 avril 2018", "en": "5 April 2018"},
        ),
        (
            a_field("number", decimals=4),
            "1234,5678",
            "1234.5678",
            {"fr": "1\u202f234,5678", "en": "1,234.5678"},
        ),
    ],
)
def test_an_answer_is_kept_for_machines_and_for_readers(
    field: Field, typed: str, value: str, display: object
) -> None:
    (answer,) = kept(field, typed).answers
    assert answer.value == value
    assert answer.display == display


def test_labels_of_fixed_forms_are_kept_in_every_language() -> None:
    form = a_form(a_field(label="Town"), title="Place", recap_subtitle="Profile", subtitle="Ask")
    (section,) = forms.answered(form, {"x": "Lyon"}, LANGUAGES, translate)
    assert section.title == {"fr": "fr:Place", "en": "en:Place"}
    assert section.subtitle == {"fr": "fr:Profile", "en": "en:Profile"}
    assert section.answers[0].label == {"fr": "fr:Town", "en": "en:Town"}


def test_passwords_and_open_questions_are_not_kept() -> None:
    form = a_form(
        a_field("password"),
        Field(key="y", kind="text", label="Y", required=False),
    )
    assert forms.answered(form, {"x": "secret", "y": ""}, LANGUAGES, translate) == ()


def test_no_text_of_a_customer_goes_through_a_catalogue() -> None:
    (answer,) = kept(a_field(), "Yes").answers
    assert shown(answer.display, "fr") == "Yes"


# ── Words ────────────────────────────────────────────────────────────────────────────────────────


def test_words_are_said_in_the_language_or_in_the_first_there_is() -> None:
    words = {"fr": "Ville", "en": "Town"}
    assert say(words, "en", translate) == "Town"
    assert say(words, "de", translate) == "Ville"
    assert say({}, "fr", translate) == ""
    assert say("Town", "fr", translate) == "fr:Town"
    assert say("", "fr", translate) == ""
    assert in_words(words, ("en",), translate) == {"en": "Town"}


def test_a_phone_number_is_read_out_by_twos_where_it_is_frances() -> None:
    assert forms.grouped_phone("0472260686") == "04 72 26 06 86"
    assert forms.grouped_phone("+441632960123") == "+441632960123"
    assert forms.grouped_phone("") == ""
