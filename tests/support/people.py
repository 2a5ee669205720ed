"""People of a tenant, and all that one of them holds: what isolation and routes are tried with."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx

from chassis.ids import new_id
from chassis.principals import CUSTOMER, MANAGER
from chassis.sessions import browser_cookie_name, session_cookie_name
from contracts.links import PATHS, Purpose
from services.identity.accounts.create_account import create_account
from services.identity.accounts.invite_person import invite_person
from services.identity.people import PersonFacts
from services.identity.sessions import open_session
from services.identity.signing_in.sign_out import sign_out
from tests.builders.identity import new_account
from tests.support.forms import form_in
from tests.support.installation import Running, link_in


@dataclass(frozen=True)
class Somebody:
    """A person with an account at a tenant, signed in by this cookie."""

    tenant: UUID
    host: str
    account_id: UUID
    person_id: UUID
    username: str
    address: str
    session_id: UUID
    cookie: str


async def somebody(
    whole: Running, tenant: UUID, host: str, *, roles: tuple[str, ...] = (CUSTOMER, MANAGER)
) -> Somebody:
    """Another person of that tenant, known to every service."""
    name = f"ville-{new_id().hex[-10:]}"
    new = new_account(
        username=name,
        roles=roles,
        person=PersonFacts("Mme", "Durand", "Claire", f"{name}@ville.example", "fr"),
    )
    database = whole.installation.runtimes["identity"].database
    async with database.begin(tenant) as work:
        await create_account(work, new)
    async with database.begin(tenant) as work:
        session = await open_session(work, new.account_id)
    await whole.settled()
    return Somebody(
        tenant=tenant,
        host=host,
        account_id=new.account_id,
        person_id=new.person_id,
        username=name,
        address=new.person.address,
        session_id=session.id,
        cookie=session.cookie,
    )


def signed_in(client: httpx.AsyncClient, whole: Running, who: Somebody) -> None:
    """Have this browser hold the person's session."""
    client.cookies.set(session_cookie_name(whole.installation.settings), who.cookie)


async def follow(client: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """Where the answer leads, until it is a page."""
    while answer.status_code == 303:
        answer = await client.get(answer.headers["location"])
    return answer


async def files(client: httpx.AsyncClient, procedure: str, **answers: str) -> UUID:
    """File a request through the pages, signed in. Answers its id."""
    page = await client.get(f"/procedures/{procedure}")
    for step in ("introduction", "form", "recap"):
        form = form_in(page.text)
        page = await client.post(form.action, data=form.filled(**(answers if step == "form" else {})))
        assert page.status_code in {200, 303}, (step, page.status_code)
    return UUID(urlsplit(page.headers["location"]).path.rpartition("/")[2])


async def registers(client: httpx.AsyncClient, address: str) -> str:
    """Ask for an account through the pages, signed out. Answers the address of the saved page."""
    page = await client.get("/register")
    for _ in ("introduction", "form", "recap"):
        form = form_in(page.text)
        known = {"email": address, "postcode": "69700"}
        page = await client.post(
            form.action, data=form.filled(**{k: v for k, v in known.items() if k in form.inputs})
        )
        if page.headers.get("location", "").startswith("/register/form"):
            page = await client.get(page.headers["location"])
    assert page.status_code == 303, page.status_code
    saved: str = page.headers["location"]
    return saved
