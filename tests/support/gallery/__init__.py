"""Every component of `chassis.web` on a page, for eyes, axe and the checks of their drawing.

`python -m tests.support.gallery FOLDER` writes screenshots at 1280 and 390, light and dark.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.responses import Response

from chassis import forms
from chassis.principals import ANONYMOUS, Principal
from chassis.problems import Conflict, Invalid, TooMany
from chassis.web.assets import serve_static, theme_response
from chassis.web.errors import install_error_pages, waiting_page
from chassis.web.gallery import PATH, gallery_page
from chassis.web.pages import Pages, see_other, submitted
from chassis.web.tenant_view import TenantView
from contracts.forms import Choice, Field, Form, Section
from tests.support.gallery.every_kind import add_every_kind

TENANT = TenantView(
    id=UUID(int=1),
    slug="ypok",
    name="YPOK",
    portal_name="YService",
    host="ypok.localhost",
    brand_colour="#1f5fa8",
    support_phone="04.72.26.06.86",
    support_hours={"fr": "24h/24 et 7j/7"},
    support_mail="support@ypok.example",
    tagline={"fr": "Le portail d’assistance des logiciels YPOK"},
    languages=("fr", "en"),
)

PERSON = Principal(kind="person", display_name="Élodie de La Rochefoucauld", account_id=UUID(int=2))

FORM = Form(
    sections=(
        Section(
            key="town",
            title={"fr": "Ville"},
            recap_subtitle={"fr": "Profil"},
            fields=(
                Field(key="name", kind="text", label={"fr": "Nom de la ville"}),
                Field(
                    key="city",
                    kind="text",
                    label={"fr": "Ville"},
                    group={"fr": "Adresse de la ville"},
                    missing={"fr": "Indiquez la ville."},
                    width="half",
                ),
                Field(
                    key="postcode",
                    kind="text",
                    label={"fr": "Code postal"},
                    group={"fr": "Adresse de la ville"},
                    width="short",
                ),
            ),
        ),
        Section(
            key="person",
            title={"fr": "Coordonnées du responsable"},
            subtitle={"fr": "La personne que l’équipe support rappellera."},
            fields=(
                Field(
                    key="title",
                    kind="choice",
                    label={"fr": "Civilité"},
                    choices=(
                        Choice(value="mme", label={"fr": "Mme"}),
                        Choice(value="m", label={"fr": "M."}),
                    ),
                ),
                Field(
                    key="email",
                    kind="email",
                    label={"fr": "Email"},
                    hint={"fr": "Vous y serez informé de l’avancée de vos demandes."},
                    autocomplete="email",
                    prefill="person.email",
                ),
                Field(key="phone", kind="phone", label={"fr": "Téléphone"}, required=False),
                Field(key="day", kind="date", label={"fr": "Depuis quand"}, width="half"),
                Field(
                    key="seats",
                    kind="number",
                    label={"fr": "Postes touchés"},
                    width="short",
                    minimum=Decimal(1),
                    maximum=Decimal(5000),
                ),
                Field(
                    key="weight",
                    kind="choice",
                    widget="select",
                    label={"fr": "Gêne"},
                    choices=(
                        Choice(value="low", label={"fr": "Le travail continue"}),
                        Choice(value="high", label={"fr": "Plus personne ne peut travailler"}),
                    ),
                ),
                Field(key="story", kind="long_text", label={"fr": "Ce qui s’est passé"}),
                Field(key="secret", kind="password", label={"fr": "Mot de passe"}),
                Field(key="terms", kind="checkbox", label={"fr": "J’accepte les conditions"}),
            ),
        ),
    )
)

FILLED = {
    "name": "Saint-Rémy-lès-Chevreuse",
    "city": "Saint-Rémy-lès-Chevreuse",
    "postcode": "78470",
    "title": "mme",
    "email": "mairie@st-remy.example",
    "phone": "+33 1 30 47 05 00",
    "day": "2026-11-02",
    "seats": "12",
    "weight": "high",
    "story": "Au lancement, l’écran reste blanc.\n\nIl fallait voir la liste.",
    "secret": "une phrase assez longue",
    "terms": "yes",
}


class Taken(Invalid):
    """Such a town is there."""

    title = "This name is taken by %(other)s."
    field = "name"


pages = Pages("tests.support.gallery")


def app(tenant: TenantView | None = TENANT, reader: Principal = ANONYMOUS) -> FastAPI:
    """The gallery as an app of its own, shown to this reader on the portal of this tenant."""
    gallery = FastAPI()
    install_error_pages(gallery, pages)

    @gallery.middleware("http")
    async def stand_in(http: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """What gateway and token bring."""
        http.state.tenant_view = tenant
        http.state.principal = PERSON if "signed" in http.query_params else reader
        return await go_on(http)

    _serve_what_pages_need(gallery, tenant)

    @gallery.head("/livez")
    async def live() -> Response:
        """Heard by a form before it is sent."""
        return Response()

    @gallery.get("/")
    async def catalogue(http: Request) -> Response:
        return pages.render(http, "samples/catalogue.html")

    @gallery.get("/components")
    async def components(http: Request) -> Response:
        sections = forms.answered(
            FORM, FILLED, pages.catalogues.languages, pages.catalogues.translate
        )
        return pages.render(http, "samples/components.html", sections=sections)

    @gallery.get("/form")
    async def form_page(http: Request) -> Response:
        form = forms.opened(FORM, {"person.email": "mairie@st-remy.example"})
        return pages.render(http, "samples/form.html", form=form)

    @gallery.post("/form")
    async def post_form(http: Request) -> Response:
        form = forms.read(FORM, await submitted(http))
        if form.ok and form.text("name") == "Lyon":
            form = form.refused(Taken(other="Lyon")).refused(Conflict())
        if not form.ok:
            return pages.render(http, "samples/form.html", form=form, status=422)
        return see_other(http, "components", {"signed": "1"})

    @gallery.get("/paper")
    async def paper(http: Request) -> Response:
        sections = forms.answered(
            FORM, FILLED, pages.catalogues.languages, pages.catalogues.translate
        )
        return pages.render(http, "samples/paper.html", sections=sections)

    @gallery.get("/waiting")
    async def waiting(http: Request) -> Response:
        return waiting_page(http, "/components", after_s=600)  # it is looked at

    @gallery.get("/hurried")
    async def hurried() -> Response:
        raise TooMany(retry_s=12.2)

    add_every_kind(gallery, pages)
    return gallery


def _serve_what_pages_need(gallery: FastAPI, tenant: TenantView | None) -> None:
    """Styles and scripts, and all components on a page."""

    @gallery.get("/theme/{name}")
    async def theme(name: str) -> Response:
        assert tenant is not None
        return theme_response(tenant.slug, tenant.brand_colour, name)

    gallery.add_route("/static/{name:path}", serve_static)

    @gallery.get(PATH)
    async def ui(http: Request) -> Response:
        return gallery_page(http, pages)
