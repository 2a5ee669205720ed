"""Answers on their way through the pages."""

import pytest

from contracts.forms import AnsweredSection, Choice
from services.requests.domain.answers import as_stored, asked, fingerprint, told
from tests.builders.requests import a_form, a_question, answers, some_sections


def test_answers_are_stored_and_read_back_whole() -> None:
    sections = some_sections()
    stored = as_stored(sections)
    assert tuple(AnsweredSection.model_validate(one) for one in stored) == sections


def test_the_same_answers_have_the_same_fingerprint() -> None:
    assert fingerprint(some_sections()) == fingerprint(some_sections())


def test_another_answer_has_another_fingerprint() -> None:
    assert fingerprint(some_sections("a")) != fingerprint(some_sections("b"))


def test_what_was_typed_is_told_with_its_labels_in_the_forms_order() -> None:
    before = asked(a_form(), "fr")
    assert told(before, answers(phone="  ")) == [
        ("Que se passe-t-il ?", "L'écran reste blanc.\r\nDepuis ce matin."),
        ("Le travail est-il bloqué ?", "Oui, tout est arrêté"),
        ("Courriel", "mairie@saint-amand.example"),
    ]


def test_only_what_the_form_asks_no_longer_is_lost() -> None:
    before = asked(a_form(a_question("since", label={"fr": "Depuis quand ?"})), "fr")
    lost = told(before, answers(since="hier"), without=a_form())
    assert lost == [("Depuis quand ?", "hier")]


def test_answers_of_entries_addresses_and_several_choices_are_told_whole() -> None:
    choices = (Choice(value="a", label={"fr": "L’un"}), Choice(value="b", label={"fr": "L’autre"}))
    before = asked(
        a_form(
            a_question("model", label={"fr": "Modèle"}),
            a_question("site", kind="address", label={"fr": "Site"}),
            a_question("which", kind="choices", label={"fr": "Lequel"}, choices=choices),
        ),
        "fr",
    )
    typed = {
        "devices.count": "2",
        "devices.0.model": "X",
        "devices.1.model": "Y",
        "site.street": "1 rue Haute",
        "site.city": "Givors",
        "which": "a\nb",
    }
    assert told(before, typed) == [
        ("Modèle", "X"),
        ("Modèle", "Y"),
        ("Site", "1 rue Haute\nGivors"),
        ("Lequel", "L’un\nL’autre"),
    ]


@pytest.mark.parametrize(
    "sent", ["", "no JSON", "[]", "3", '{"what": 3}', '{"what": ["a"]}', '{"what": [1, []]}']
)
def test_what_a_browser_altered_is_borne(sent: str) -> None:
    assert told(sent, {"what": "typed"}) in ([], [("", "typed")])
