"""People of a tenant, and all that one of them holds: what isolation and routes are tried with."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx
from sqlalchemy import select

from chassis.ids import new_id
from chassis.principals import CUSTOMER, MANAGER, Principal
from chassis.sessions import browser_cookie_name, session_cookie_name
from chassis.signatures import read, sign
from contracts.forms import Field, Form, Section
from contracts.links import LINK_PARAMETER, PATHS, Purpose
from services.identity.accounts.create_account import NewAccount, create_account
from services.identity.accounts.invite_person import invite_person
from services.identity.domain.recoveries import Loss
from services.identity.people import PersonFacts
from services.identity.profile.request_address_change import request_address_change
from services.identity.recovery.submit_recovery import submit_recovery
from services.identity.sessions import open_session
from services.identity.tables import Account, Reset
from services.requests.filing.attach_files import NewFile, attach_files
from services.requests.filing.save_draft import Entry, save_draft
from tests.builders.files import PDF
from tests.builders.identity import a_link, new_account
from tests.support.forms import form_in
from tests.support.installation import Running, link_in

MOST_STEPS = 12
"""Of a procedure, from the introduction to the save."""

PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


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
    whole: Running,
    tenant: UUID,
    host: str,
    *,
    roles: tuple[str, ...] = (CUSTOMER, MANAGER),
    language: str = "fr",
) -> Somebody:
    """Another person of that tenant, known to every service."""
    name = f"ville-{new_id().hex[-10:]}"
    new = new_account(
        username=name,
        roles=roles,
        person=PersonFacts("Mme", "Durand", "Claire", f"{name}@ville.example", language),
    )
    return await somebody_new(whole, tenant, host, new)


async def somebody_new(whole: Running, tenant: UUID, host: str, new: NewAccount) -> Somebody:
    """The person of this new account, signed in, and known to every service."""
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
        username=new.username,
        address=new.person.address,
        session_id=session.id,
        cookie=session.cookie,
    )


def signed_in(client: httpx.AsyncClient, whole: Running, who: Somebody) -> None:
    """Have this browser hold the person's session."""
    client.cookies.set(session_cookie_name(whole.installation.settings), who.cookie)


def same_browser(client: httpx.AsyncClient, whole: Running, held: "Belongings") -> None:
    """Have this be the browser that the handles are bound to."""
    client.cookies.set(browser_cookie_name(whole.installation.settings), held.browser)


async def files(client: httpx.AsyncClient, procedure: str, **answers: str) -> UUID:
    """File a request through the pages, signed in. Answers its id."""
    page = await client.get(f"/procedures/{procedure}")
    for _ in range(MOST_STEPS):
        form = form_in(page.text)
        known = {name: value for name, value in answers.items() if name in form.inputs}
        page = await client.post(form.action, data=form.filled(**known))
        assert page.status_code in {200, 303}, (form.action, page.status_code)
        if page.status_code == 303:
            return UUID(urlsplit(page.headers["location"]).path.rpartition("/")[2])
    raise AssertionError("the form comes to no end")


async def attaches(whole: Running, who: Somebody) -> tuple[UUID, UUID]:
    """Attach a file to the draft of a request. Answers the draft's id and the file's."""
    question = Field(key="proofs", kind="file", label={"fr": "Captures"})
    section = Section(key="facts", title={"fr": "Les faits"}, fields=(question,))
    id, key = new_id(), new_id()
    entry = Entry(
        key=key.hex,
        one_use_key=key,
        procedure_id=new_id(),
        slug=f"begun-by-{who.username}",
        title={"fr": "Commencée"},
        form_version=1,
        form=Form(sections=(section,)),
        values={"proofs": str(id)},
        timezone="Europe/Paris",
    )
    source = whole.installation.files.incoming / id.hex
    source.write_bytes(PDF)
    await whole.installation.files.keep(who.tenant, id, source)
    principal = Principal(kind="person", account_id=who.account_id, person_id=who.person_id)
    database = whole.installation.runtimes["requests"].database
    async with database.begin(who.tenant, principal) as work:
        draft_id = await save_draft(work, entry)
        assert draft_id is not None
        await attach_files(work, draft_id, [NewFile(id, "notice.pdf", "application/pdf", len(PDF))])
    return draft_id, id


async def registers(client: httpx.AsyncClient, address: str, **answers: str) -> str:
    """Ask for an account through the pages, signed out. Answers the address of the saved page."""
    page = await client.get("/register")
    for action in (None, None, "/register/save"):
        form = form_in(page.text, action)
        known = {"email": address, "postcode": "69700", **answers}
        page = await client.post(
            form.action, data=form.filled(**{k: v for k, v in known.items() if k in form.inputs})
        )
        if page.headers.get("location", "").startswith("/register/form"):
            page = await client.get(page.headers["location"])
    assert page.status_code == 303, page.status_code
    saved: str = page.headers["location"]
    return saved


@dataclass(frozen=True)
class Belongings:
    """Whatever an address or a form of the portal may name, of one person and their tenant."""

    request_id: UUID
    draft_id: UUID
    attachment_id: UUID
    category: str
    procedure: str
    print_handle: str
    terms_handle: str
    consent: str
    links: Mapping[Purpose, str]
    browser: str = ""  # the anonymous cookie that the handles are bound to
    session_id: UUID = field(default_factory=new_id)  # beside the one that they are in

    def named(self, service: str, path: str) -> str:
        """A route's path with these in the place of its parameters, and in its query.

        Fails for a parameter that it does not know: say here what stands for it.
        """
        stands_for: dict[tuple[str, str], str] = {
            ("catalog", "slug"): self.category,
            ("requests", "slug"): self.procedure,
            ("requests", "step"): "form",
            ("requests", "request_id"): str(self.request_id),
            ("requests", "draft_id"): str(self.draft_id),
            ("requests", "attachment_id"): str(self.attachment_id),
            ("requests", "handle"): self.print_handle,
            ("identity", "name"): "legal",
            ("identity", "lost"): "password",
            ("identity", "session_id"): str(self.session_id),
        }
        queries = {
            "/register/form": {"terms": self.terms_handle},
            "/register/saved": {"handle": self.print_handle},
            "/requests": {"older_than": str(self.request_id)},
            "/sign-in": {"next": f"/requests/{self.request_id}", "why": "page"},
            **{PATHS[purpose]: {LINK_PARAMETER: token} for purpose, token in self.links.items()},
        }
        filled = PARAMETER.sub(lambda found: stands_for[service, found[1]], path)
        query = queries.get(path)
        return f"{filled}?{urlencode(query)}" if query else filled

    def body(self, path: str) -> dict[str, str]:
        """What some form of the portal sends, all of them in one."""
        by_path = {PATHS[purpose]: token for purpose, token in self.links.items()}
        link = next((by_path[one] for one in by_path if path.startswith(one)), "")
        return {
            LINK_PARAMETER: link,
            "next": f"/requests/{self.request_id}",
            "accepted": "yes",
            "terms": "yes",
            "_terms_version": "1",
            "_terms": self.terms_handle,
            "_consent": self.consent,
            "_key": str(self.request_id),
            "town_name": "Givors",
            "city": "Givors",
            "postcode": "69700",
            "title": "Mme",
            "birth_name": "Durand",
            "first_name": "Claire",
            "email": "mairie@givors.example",
            # An identifier that nobody signs in with, nor takes for their own, which is too short.
            "username": "x" if path == "/profile/identifier" else "mairie-de-givors",
            "password": "quatre chevaux lents boivent",
            "password_again": "quatre chevaux lents boivent",
            "lost": "password",
            "language": "fr",
        }


async def belongings(whole: Running, who: Somebody, *, category: str, procedure: str) -> Belongings:
    """What a person holds who has filed, registered and been written to, all by the portal."""
    known = who.address
    new, invited = f"{who.username}@neuve.example", f"{who.username}@invitee.example"
    async with whole.visitor(who.host) as visitor:
        await registers(visitor, new)
        introduction = await visitor.get("/register")
        form = form_in(introduction.text)
        begun = await visitor.post(form.action, data=form.filled())
        saved = await registers(visitor, known)
        browser = visitor.cookies[browser_cookie_name(whole.installation.settings)]
    async with whole.visitor(who.host) as customer:
        signed_in(customer, whole, who)
        request_id = await files(customer, procedure)
        page = await customer.get(f"/procedures/{procedure}")
        form = form_in(page.text)
        consent = form_in((await customer.post(form.action, data=form.filled())).text)
    database = whole.installation.runtimes["identity"].database
    async with database.begin(who.tenant) as work:
        await invite_person(work, invited)
        await submit_recovery(work, Loss("password", "", who.username, "fr"))
        session = await open_session(work, who.account_id)
    await whole.settled()
    minted = await _links_of_account(whole, who)
    draft_id, attachment_id = await attaches(whole, who)
    mailed = {
        Purpose.ACTIVATION: new,
        Purpose.FURTHER_ACCOUNT: known,
        Purpose.INVITATION: invited,
    }
    return Belongings(
        request_id=request_id,
        draft_id=draft_id,
        attachment_id=attachment_id,
        category=category,
        procedure=procedure,
        print_handle=_query(saved, "handle"),
        terms_handle=_query(begun.headers["location"], "terms"),
        consent=consent.inputs["_consent"].value,
        links={
            purpose: _query(await _link_to(whole, address, PATHS[purpose]), LINK_PARAMETER)
            for purpose, address in mailed.items()
        }
        | minted,
        browser=browser,
        session_id=session.id,
    )


async def _links_of_account(whole: Running, who: Somebody) -> dict[Purpose, str]:
    """Links to a new password, which was asked for, and from a new address, asked for here."""
    principal = Principal(kind="person", account_id=who.account_id, session_id=who.session_id)
    neuve = f"{who.username}@demenagee.example"
    async with whole.installation.runtimes["identity"].database.begin(
        who.tenant, principal
    ) as work:
        account = await work.fetch(Account, who.account_id)
        change = await request_address_change(work, neuve, account.password_hash or "")
        found = await work.db.execute(select(Reset.id).where(Reset.account_id == account.id))
        reset = found.scalar_one()
    key = whole.installation.keys.signing_key("notifier")
    return {
        Purpose.RESET: a_link(key, Purpose.RESET, reset, who.tenant, who.address),
        Purpose.EMAIL_CHANGE: a_link(key, Purpose.EMAIL_CHANGE, change, who.tenant, neuve),
    }


def of_nothing(whole: Running, held: Belongings, tenant: UUID) -> Belongings:
    """As like to these as can be, signed as they are, but of things that do not exist."""
    keys = whole.installation.keys
    notifiers, (kid, identitys) = keys.signing_key("notifier"), keys.signing_key("identity")

    def resigned(statement: str, **changes: str) -> str:
        claims = read(keys.public_keys("identity"), statement)
        return sign(identitys, kid, {**claims, **changes})

    return Belongings(
        request_id=new_id(),
        draft_id=new_id(),
        attachment_id=new_id(),
        category=_unlike(held.category),
        procedure=_unlike(held.procedure),
        print_handle=resigned(held.print_handle, r=str(new_id())),
        terms_handle=held.terms_handle,
        consent=held.consent,
        links={
            purpose: a_link(notifiers, purpose, new_id(), tenant, "nobody@ville.example")
            for purpose in held.links
        },
        browser=held.browser,
    )


def _unlike(slug: str) -> str:
    return slug[::-1].replace("-", "x")


def _query(address: str, name: str) -> str:
    return parse_qs(urlsplit(address).query)[name][0]


async def _link_to(whole: Running, address: str, path: str) -> str:
    async with asyncio.timeout(10):
        while True:
            for mail in whole.mails(address):
                with contextlib.suppress(AssertionError):  # a mail without any
                    link: str = link_in(mail)
                    if urlsplit(link).path == path:
                        return link
            await asyncio.sleep(0.02)
