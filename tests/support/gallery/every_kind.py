"""A form with every kind of question, conditions and entries, as the gallery shows it."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.responses import Response

from chassis import forms
from chassis.web.pages import Pages, see_other, submitted
from contracts.forms import AttachedFile, Choice, Condition, Field, Form, Repeats, Section

BLOCKED = Condition(field="blocked", one_of=("yes",))

FILE = AttachedFile(
    id=UUID("01987c3e-6b00-7000-8000-00000000f11e"),
    name="Capture d’écran du 2 novembre 2026, état civil.png",
    size_bytes=1_482_331,
    media_type="image/png",
)

EVERY_KIND = Form(
    sections=(
        Section(
            key="trouble",
            title={"fr": "Ce qui ne va pas"},
            fields=(
                Field(
                    key="affected",
                    kind="choices",
                    label={"fr": "Ce qui ne fonctionne pas"},
                    hint={"fr": "Plusieurs réponses sont possibles."},
                    choices=(
                        Choice(value="search", label={"fr": "La recherche d’une fiche"}),
                        Choice(value="print", label={"fr": "L’impression"}),
                        Choice(value="other", label={"fr": "Autre chose"}),
                    ),
                ),
                Field(
                    key="affected_other",
                    kind="text",
                    label={"fr": "Quoi donc ?"},
                    shown_when=(Condition(field="affected", one_of=("other",)),),
                ),
                Field(
                    key="blocked",
                    kind="yes_no",
                    label={"fr": "Le travail est-il arrêté ?"},
                    help={"fr": "Il est arrêté si personne ne peut continuer, même autrement."},
                ),
                Field(
                    key="since",
                    kind="date",
                    label={"fr": "Depuis quand ?"},
                    latest="today",
                    width="half",
                    group={"fr": "L’arrêt"},
                    shown_when=(BLOCKED,),
                ),
                Field(
                    key="call_at",
                    kind="time",
                    label={"fr": "À quelle heure vous rappeler ?"},
                    required=False,
                    earliest="08:00",
                    latest="18:30",
                    width="short",
                    group={"fr": "L’arrêt"},
                    shown_when=(BLOCKED,),
                ),
                Field(
                    key="shots",
                    kind="file",
                    label={"fr": "Captures d’écran"},
                    hint={"fr": "Images ou PDF, 10 Mo chacun."},
                    required=False,
                ),
            ),
        ),
        Section(
            key="devices",
            title={"fr": "Les appareils"},
            subtitle={"fr": "Un par un."},
            repeats=Repeats(maximum=3, entry={"fr": "Appareil"}, add={"fr": "Ajouter un appareil"}),
            fields=(
                Field(
                    key="serial",
                    kind="text",
                    label={"fr": "Numéro de série"},
                    pattern=r"[A-Z]{2}-\d{4,8}",
                    pattern_words={
                        "fr": "Indiquez le numéro comme sur l’étiquette, par exemple AB-1234."
                    },
                    width="half",
                ),
                Field(key="site", kind="address", label={"fr": "Où se trouve-t-il ?"}),
            ),
        ),
    )
)

VALUES = {
    "affected": "search\nprint",
    "blocked": "no",
    "shots": str(FILE.id),
    "devices.count": "2",
    "devices.0.serial": "AB-1234",
    "devices.0.site.street": "2 place de la Mairie",
    "devices.0.site.postcode": "78470",
    "devices.0.site.city": "Saint-Rémy-lès-Chevreuse",
    "devices.1.serial": "1234",
}


def add_every_kind(gallery: FastAPI, pages: Pages) -> None:
    """The page `/questions`, which reads what it is sent."""

    @gallery.get("/questions")
    async def every_kind(http: Request) -> Response:
        return pages.render(http, "samples/questions.html", form=_left(VALUES))

    @gallery.post("/questions")
    async def post_every_kind(http: Request) -> Response:
        form = _read(await submitted(http))
        if form.ok and form.answers:
            return see_other(http, "components", {"signed": "1"})
        status = 422 if form.wrong else 200
        return pages.render(http, "samples/questions.html", form=form, status=status)


def _left(values: Mapping[str, str]) -> forms.Submission:
    """As somebody has left it."""
    return forms.Submission(EVERY_KIND, values, files={FILE.id: FILE})


def _read(sent: Mapping[str, str]) -> forms.Submission:
    """What was sent; an entry more or less if that was pressed."""
    values = forms.rearranged(EVERY_KIND, sent, sent)
    if forms.rearranges(sent):
        return _left(values)
    return forms.read(EVERY_KIND, values, {FILE.id: FILE})
