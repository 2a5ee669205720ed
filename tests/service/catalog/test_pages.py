"""Home and category pages: what a visitor sees, signed out (J1) and signed in (J6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest
from sqlalchemy import event

from chassis.principals import ANONYMOUS, Principal
from chassis.runtime import Runtime
from services.catalog.domain.catalogue import CatalogueFile
from tests.builders.catalog import a_catalogue, a_category, a_procedure, the_registration
from tests.service.catalog.conftest import A_TOWN, Portal

CATALOGUE = a_catalogue(
    a_category("votre-compte", the_registration(), about={}, title={"fr": "Votre compte"}),
    a_category(
        "ypolice",
        a_procedure("assistance-ypolice", title={"fr": "Assistance YPolice"}),
        a_procedure("anomalie-ypolice", title={"fr": "Anomalie - logiciel YPolice"}),
        title={"fr": "YPolice"},
        about={"fr": "gestion des activités de la police"},
    ),
    a_category("ypark", a_procedure("evolution-ypark"), title={"fr": "YPark"}),
)

CHOOSE = "Sélectionnez la démarche pour l'anomalie concernée (bug, demande d'évolution, hotline)."


class Main(HTMLParser):
    """What stands in a page's `<main>`: its headings, its links, its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[tuple[str, str]] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._inside = False
        self._open: list[tuple[str, str | None, list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = self._inside or tag == "main"
        if self._inside and tag in {"h1", "h2", "a"}:
            self._open.append((tag, dict(attrs).get("href"), []))

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._inside = False
        if self._open and self._open[-1][0] == tag:
            _, href, words = self._open.pop()
            text = " ".join("".join(words).split())
            if tag == "a":
                self.links.append((text, href or ""))
            else:
                self.headings.append((tag, text))

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.words.append(data)
        for _, _, words in self._open:
            words.append(data)

    @property
    def text(self) -> str:
        """All words, with single spaces."""
        return " ".join(" ".join(self.words).split())


async def page(portal: Portal, path: str, reader: Principal = ANONYMOUS, status: int = 200) -> Main:
    """The page's main part."""
    answer = await portal.get(path, reader)
    assert answer.status_code == status
    return Main(answer.text)


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """The statements that the service sends meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = runtime.database.app.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_the_home_page_shows_every_category_with_its_procedures(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    home = await page(portal, "/")
    assert home.headings == [
        ("h1", "Sélectionnez un service"),
        ("h2", "Votre compte"),
        ("h2", "YPolice"),
        ("h2", "YPark"),
    ]
    assert home.links == [
        ("Votre compte", "/categories/votre-compte"),
        ("Creation-de-compte", "/register"),
        ("YPolice", "/categories/ypolice"),
        ("Assistance YPolice", "/procedures/assistance-ypolice"),
        ("Anomalie - logiciel YPolice", "/procedures/anomalie-ypolice"),
        ("YPark", "/categories/ypark"),
        ("Evolution-ypark", "/procedures/evolution-ypark"),
    ]
    assert "gestion des activités de la police" in home.text
    assert CHOOSE not in home.text


async def test_who_is_signed_in_is_told_to_choose_and_has_no_account_to_create(
    portal: Portal,
) -> None:
    await portal.imports(CATALOGUE)
    home = await page(portal, "/", A_TOWN)
    assert CHOOSE in home.text
    assert [text for tag, text in home.headings if tag == "h2"] == ["YPolice", "YPark"]
    assert "/register" not in dict(home.links).values()


async def test_a_category_has_its_drawing_or_its_first_letters(portal: Portal) -> None:
    drawn = a_category("voirie", title={"fr": "Voirie"}, icon="wrench")
    await portal.imports(a_catalogue(drawn, a_category("ecole", title={"fr": "École"})))
    first, second = (await portal.get("/")).text.split('link-card__mark" aria-hidden="true">')[1:]
    assert first.startswith("<svg")
    assert second.startswith("Éc")


async def test_a_category_has_a_page_of_its_own(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    category = await page(portal, "/categories/ypolice")
    assert category.headings == [("h1", "YPolice")]
    assert category.links[1:] == [
        ("Assistance YPolice", "/procedures/assistance-ypolice"),
        ("Anomalie - logiciel YPolice", "/procedures/anomalie-ypolice"),
    ]
    assert category.links[0][1] == "/"


async def test_the_category_of_accounts_says_so_to_who_has_one(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    category = await page(portal, "/categories/votre-compte", A_TOWN)
    assert "Vous avez déjà un compte" in category.text
    assert "/register" not in dict(category.links).values()


async def test_what_is_retired_is_shown_no_more(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    await portal.imports(CatalogueFile(CATALOGUE.categories[:2]))
    assert "YPark" not in (await page(portal, "/")).text
    await page(portal, "/categories/ypark", status=404)


async def test_an_empty_catalogue_says_whom_to_contact(portal: Portal) -> None:
    home = await page(portal, "/")
    assert home.headings == [("h1", "Sélectionnez un service")]
    assert "Aucun service n’est proposé ici pour l’instant." in home.text


async def test_another_tenants_category_is_as_one_that_does_not_exist(
    portal: Portal, other_portal: Portal
) -> None:
    await portal.imports(CATALOGUE)
    there = await other_portal.get("/categories/ypolice")
    nowhere = await other_portal.get("/categories/nowhere")
    assert there.status_code == nowhere.status_code == 404
    assert there.text == nowhere.text
    assert "YPolice" not in (await page(other_portal, "/")).text


async def test_what_is_in_another_language_than_the_page_says_so(portal: Portal) -> None:
    await portal.imports(CATALOGUE)
    for path, said in {
        "/": (
            '<a href="/categories/ypolice"><span lang="fr">YPolice</span></a>',
            '<span><span lang="fr">Assistance YPolice</span></span>',
        ),
        "/categories/ypolice": (
            '<h1><bdi><span lang="fr">YPolice</span></bdi></h1>',
            "<title>YPolice –",
        ),
    }.items():
        english = (await portal.get(path, language="en")).text
        assert '<html lang="en">' in english
        for one in said:
            assert one in english
        assert 'lang="fr"' not in (await portal.get(path, language="fr")).text.replace(
            '<html lang="fr">', ""
        )


async def test_what_a_tenant_wrote_is_never_markup(portal: Portal) -> None:
    wicked = a_category("x", a_procedure("y", title={"fr": "<i>y</i>"}), title={"fr": "<b>x</b>"})
    await portal.imports(a_catalogue(wicked))
    for path in ("/", "/categories/x"):
        text = (await portal.get(path)).text
        assert "<b>x" not in text
        assert "<i>y" not in text
        assert "&lt;b&gt;x" in text


@pytest.mark.parametrize("path", ["/", "/categories/ypolice"])
async def test_head_answers_as_get_does(portal: Portal, path: str) -> None:
    await portal.imports(CATALOGUE)
    got, head = await portal.get(path), await portal.get(path, method="HEAD")
    assert head.status_code == got.status_code == 200
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    ("path", "reader", "statements_sent"),
    [
        pytest.param("/", ANONYMOUS, 1, id="home, signed out"),
        pytest.param("/", A_TOWN, 2, id="home, with what waits for who is signed in"),
        pytest.param("/categories/ypolice", ANONYMOUS, 1, id="category, signed out"),
        pytest.param("/categories/ypolice", A_TOWN, 1, id="category, signed in"),
    ],
)
async def test_what_a_page_costs(
    portal: Portal, path: str, reader: Principal, statements_sent: int
) -> None:
    await portal.imports(CATALOGUE)
    await portal.get("/", reader)  # the tenant's own facts are cached from here on
    with statements(portal.runtime) as sent:
        await portal.get(path, reader)
    assert len(sent) == statements_sent
