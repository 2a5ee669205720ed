"""The demo's catalogue is the one that the portal's manual shows, with forms that serve a team."""

import re
from collections.abc import Iterator
from importlib import resources

import pytest
import yaml

from contracts.forms import Form
from services.catalog.domain.catalogue import CatalogueFile
from services.catalog.importing.read_catalogue import read_catalogue

SHOWN = {
    "Votre compte": ("", ["Création de compte"]),
    "YPolice": (
        "gestion des activités de la police",
        ["Assistance YPolice", "Anomalie - logiciel YPolice", "Evolution YPolice"],
    ),
    "YEnfance": (
        "activités scolaires et périscolaires",
        [
            "Anomalie - logiciel YEnfance",
            "Assistance utilisation YEnfance",
            "Evolution YEnfance",
        ],
    ),
    "PVe": ("gestion des PVe", ["Assistance PVe", "Anomalie - matériel PVe"]),
    "YGRC": (
        "portail citoyen",
        [
            "Assistance utilisation YGRC",
            "Anomalie - logiciel YGRC",
            "Evolution YGRC",
            "Anomalie - matériel YGRC",
        ],
    ),
    "YPark": (
        "stationnement",
        ["Anomalie - logiciel YPark", "Assistance utilisation YPark", "Evolution YPark"],
    ),
}

FOLDER = resources.files("guichet") / "demo" / "ypok"

PLACE = ("screen",)
DEVICE = ("device", "model", "serial", "site")
ALWAYS = ("version", "happened", "since", "blocking", "people", "email", "phone", "hours")


@pytest.fixture(scope="module")
def demo() -> CatalogueFile:
    return read_catalogue((FOLDER / "catalogue.yaml").read_text("utf-8"))


def forms(demo: CatalogueFile) -> dict[str, Form]:
    """The forms by the titles of their procedures."""
    return {
        procedure.title["fr"]: procedure.form
        for category in demo.categories
        for procedure in category.procedures
        if procedure.form is not None
    }


def test_categories_and_procedures_are_the_manuals(demo: CatalogueFile) -> None:
    assert {
        category.title["fr"]: (
            category.about.get("fr", ""),
            [procedure.title["fr"] for procedure in category.procedures],
        )
        for category in demo.categories
    } == SHOWN
    assert [category.title["fr"] for category in demo.categories] == list(SHOWN)


def test_account_creation_alone_opens_the_registration(demo: CatalogueFile) -> None:
    (account,) = demo.categories[0].procedures
    assert (account.opens, account.minutes) == ("registration", 3)
    assert account.description["fr"] == "Création de votre compte."
    assert len(forms(demo)) == sum(len(titles) for _, titles in SHOWN.values()) - 1


def test_every_form_asks_what_a_support_team_needs(demo: CatalogueFile) -> None:
    for title, form in forms(demo).items():
        asked = {field.key for field in form.fields()}
        hardware = "matériel" in title
        wanted = {*ALWAYS, *(DEVICE if hardware else ("product", *PLACE))}
        if "Assistance" not in title:
            wanted.add("expected")
        assert wanted <= asked, title


def test_what_the_profile_knows_is_filled_in(demo: CatalogueFile) -> None:
    for title, form in forms(demo).items():
        contact = {field.prefill for field in form.sections[-1].fields} - {None}
        assert contact == {
            "organisation.name",
            "person.first_name",
            "person.birth_name",
            "person.email",
            "person.phone",
        }, title


@pytest.mark.parametrize("name", ["catalogue.yaml", "tenant.yaml"])
def test_french_typography_is_kept(name: str) -> None:
    for text in french_texts(yaml.safe_load((FOLDER / name).read_text("utf-8"))):
        assert not re.search(r"\w [;!?»]|« | :(?= )|\w[;!?](\s|$)", text), text
        # In the signature, as the manual has it.
        assert "'" not in text.replace("d'YPOK", ""), text


def french_texts(value: object) -> Iterator[str]:
    """What is written in French: by language, or without one."""
    if isinstance(value, str):
        yield from value.splitlines()
    elif isinstance(value, list):
        for one in value:
            yield from french_texts(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in ("en", "pattern"):
                yield from french_texts(one)
