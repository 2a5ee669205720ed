"""A catalogue's file is read whole, or every mistake in it is told with its line and the mend."""

import re

import pytest

from chassis.web.pages import icon
from contracts.forms import Condition, Repeats
from services.catalog.importing.read_catalogue import CatalogueError, read_catalogue
from tests.unit.catalog.wrong_catalogues import GOOD, ICONS, RICH, WRONG, Wrong, but


def mistakes_in(text: str) -> list[str]:
    """What is wrong with the text, a sentence or two each."""
    with pytest.raises(CatalogueError) as refused:
        read_catalogue(text)
    assert str(refused.value).splitlines() == [str(one) for one in refused.value.mistakes]
    return [str(one) for one in refused.value.mistakes]


def test_a_good_file_is_read_whole() -> None:
    software, account = read_catalogue(GOOD).categories
    assert (software.slug, software.title) == ("logiciel", {"fr": "Logiciel", "en": "Software"})
    assert software.about == {"fr": "tout le logiciel"}
    (anomaly,) = software.procedures
    assert (anomaly.opens, anomaly.minutes) == ("form", 8)
    assert anomaly.form is not None
    assert [section.key for section in anomaly.form.sections] == ["facts", "contact"]
    assert [field.key for field in anomaly.form.fields()] == ["happened", "blocking", "phone"]
    assert [choice.value for choice in anomaly.form.field("blocking").choices] == ["yes", "no"]
    assert anomaly.form.field("phone").prefill == "person.phone"
    assert account.about == {}
    assert (account.procedures[0].opens, account.procedures[0].form) == ("registration", None)


@pytest.mark.parametrize("name", ICONS)
def test_every_drawing_that_may_be_named_can_be_drawn(name: str) -> None:
    assert icon(name).startswith("<svg")
    read = read_catalogue(GOOD.replace("    about: tout", f"    icon: {name}\n    about: tout"))
    assert [category.icon for category in read.categories] == [name, None]


def test_plain_scalars_stay_what_was_typed() -> None:
    text = but("tout le logiciel", "1.10").replace("title: Anomalie", "title: no")
    software = read_catalogue(text).categories[0]
    assert (software.about, software.procedures[0].title) == ({"fr": "1.10"}, {"fr": "no"})


def test_an_alias_stands_for_what_its_anchor_names() -> None:
    text = but("title: Les faits", "title: &facts Les faits").replace(
        "label: Ce qui s’est passé", "label: *facts"
    )
    form = read_catalogue(text).categories[0].procedures[0].form
    assert form is not None
    assert form.field("happened").label == {"fr": "Les faits"}


def test_a_file_that_uses_all_there_is_is_read_whole() -> None:
    (hardware,) = read_catalogue(RICH).categories
    form = hardware.procedures[0].form
    assert form is not None
    assert [page.sections for page in form.pages] == [("trouble",), ("devices", "contact")]
    assert form.pages[0].title == {"fr": "La panne"}
    assert form.field("since").shown_when == (Condition(field="blocked", one_of=("yes",)),)
    assert form.field("call_at").shown_when == (
        Condition(field="blocked", one_of=("yes",)),
        Condition(field="since", answered=True),
    )
    assert (form.field("call_at").earliest, form.field("call_at").latest) == ("08:00", "18:30")
    devices = form.sections[1]
    assert devices.shown_when == (Condition(field="affected", none_of=("battery",)),)
    assert devices.repeats == Repeats(
        minimum=1, maximum=5, entry={"fr": "Appareil"}, add={"fr": "Ajouter un appareil"}
    )
    serial = form.field("serial")
    assert (serial.min_length, serial.max_length, serial.pattern) == (4, 20, r"[A-Z]{2}-\d+")
    assert serial.pattern_words == {"fr": "Indiquez deux capitales, un tiret et des chiffres."}
    assert serial.help == {"fr": "Il se trouve sous la batterie."}
    assert form.field("shots").max_files == 3


def test_a_mistake_of_a_shared_section_is_told_once_for_all_its_forms() -> None:
    text = but(
        "label: Téléphone, prefill: person.phone}",
        "label: Téléphone, shown_when: {field: weather, answered: true}}",
    )
    again = text.replace(
        "  - slug: compte",
        "      - slug: autre\n        title: Autre\n        description: Autre.\n"
        "        minutes: 1\n        sections: [use: contact]\n  - slug: compte",
    )
    assert mistakes_in(again) == [
        "line 6: No question of this form is called `weather`. Name one that is asked before."
    ]


def test_there_are_many_wrong_files() -> None:
    assert len(WRONG) >= 90
    assert len({(wrong.what, wrong.mend) for wrong in WRONG.values()}) >= 75


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_told_with_its_line_and_its_mend(wrong: Wrong) -> None:
    assert mistakes_in(wrong.text) == [f"line {wrong.line}: {wrong.what} {wrong.mend}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = but("minutes: 8", "minutes: huit").replace("kind: long_text", "kind: textarea")
    text = text.replace("title: {fr: Logiciel, en: Software}", "titel: Logiciel")
    lines = [int(re.findall(r"line (\d+):", one)[0]) for one in mistakes_in(text)]
    assert lines == [9, 15, 21]


def test_what_stands_twice_in_a_shared_section_is_told_once() -> None:
    text = but(
        "      - {key: phone, kind: phone, label: Téléphone, prefill: person.phone}\n",
        "      - {key: phone, kind: phone, label: A}\n      - {key: phone, kind: text, label: B}\n",
    )
    (mistake,) = mistakes_in(text)
    assert mistake.startswith("line 7: Two fields of a section are called `phone` (the first on")


def test_aliases_cannot_make_a_small_file_endless() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 9)]
    (mistake,) = mistakes_in("\n".join(lines))
    assert "too large or too deep" in mistake


def test_a_file_without_end_is_refused() -> None:
    assert "longer than" in mistakes_in("#" * 1_000_001)[0]
    assert "too deep" in mistakes_in("[" * 400)[0] or "no YAML" in mistakes_in("[" * 400)[0]
    assert "too deeply" in mistakes_in("[" * 20_000 + "]" * 20_000)[0]
