"""A town's registration through the real pages, without a browser."""

import httpx

from tests.support.forms import form_in


async def register(visitor: httpx.AsyncClient, address: str, *, town: str = "Givors") -> None:
    """From the introduction to the saved page (J2). The mail follows."""
    introduction = await visitor.get("/register")
    opened = await visitor.post("/register", data=form_in(introduction.text).filled())
    form = await visitor.get(opened.headers["location"])
    answers = form_in(form.text).filled(
        town_name=town,
        city=town,
        postcode="69700",
        birth_name="Dupré",
        first_name="Anne",
        email=address,
    )
    recap = await visitor.post("/register/form", data=answers)
    assert recap.status_code == 200, recap.text
    saving = form_in(recap.text, "/register/save").filled()
    saved = await visitor.post("/register/save", data=saving)
    assert saved.status_code == 303
    page = await visitor.get(saved.headers["location"])
    assert "La demande Création de compte a été enregistrée." in page.text
