"""What happens at a tenant, done by the services' own verbs: what a test has its events from."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis import clock
from chassis.forms import normalise_address
from chassis.ids import new_id
from chassis.principals import ANONYMOUS, Principal
from chassis.work import Database, UnitOfWork
from contracts.forms import AnsweredField, AnsweredSection, Field, Form, Section
from contracts.links import Purpose, address_hash
from services.catalog.domain.catalogue import CatalogueFile
from services.catalog.importing.import_catalogue import import_catalogue
from services.catalog.tables import Procedure
from services.identity.accounts.create_account import create_account
from services.identity.accounts.erase_account import erase_account
from services.identity.accounts.invite_person import invite_person
from services.identity.activation.activate_account import Credentials, activate_account
from services.identity.activation.request_activation_again import request_activation_again
from services.identity.domain.links import Link
from services.identity.domain.recoveries import Loss, Lost
from services.identity.domain.registrations import AcceptedTerms
from services.identity.domain.tenants import TenantFacts
from services.identity.people import OrganisationFacts, PersonFacts, tell_organisation, tell_profile
from services.identity.profile.change_password import change_password
from services.identity.profile.confirm_address import confirm_address
from services.identity.profile.request_address_change import request_address_change
from services.identity.recovery.reset_password import reset_password
from services.identity.recovery.submit_recovery import submit_recovery
from services.identity.registration.ask_for_further_account import ask_for_further_account
from services.identity.registration.submit_registration import submit_registration
from services.identity.signing_in.sign_out import sign_out
from services.identity.tables import (
    Account,
    Activation,
    EmailChange,
    Organisation,
    Person,
    Registration,
    Reset,
)
from services.identity.tenants.change_tenant import change_tenant
from services.identity.tenants.create_tenant import create_tenant
from services.identity.tenants.publish_terms import publish_terms
from services.identity.tenants.resume_tenant import resume_tenant
from services.identity.tenants.suspend_tenant import suspend_tenant
from services.requests.filing.consents import Consent
from services.requests.filing.discard_draft import discard_draft
from services.requests.filing.restore_draft import restore_draft
from services.requests.filing.save_draft import Entry, save_draft
from services.requests.filing.save_request import Filing, save_request
from tests.builders.catalog import a_catalogue, a_category, a_procedure, the_registration
from tests.builders.identity import filled, new_account, tenant_facts

BROWSER = Principal(browser="b" * 64)


@dataclass(frozen=True)
class Someone:
    """A person of a town, as they describe themselves; nobody else has any of it."""

    name: str
    first_name: str
    address: str
    username: str
    town: str = "Givors"
    title: str = "Mme"

    def traces(self) -> list[str]:
        """By what of theirs a search finds them."""
        return [self.name, self.first_name, self.address, self.username]


def someone(name: str) -> Someone:
    """A person whose names, address and identifier are made from this one."""
    low = name.lower()
    return Someone(name, f"Ondine-{name}", f"{low}@mairie-{low}.example", f"service-{low}")


@dataclass(frozen=True)
class Known:
    """A person with an account that is active."""

    who: Someone
    account_id: UUID
    person_id: UUID
    organisation_id: UUID
    session_id: UUID | None = None

    def principal(self) -> Principal:
        """They, signed in."""
        return Principal(
            kind="person",
            account_id=self.account_id,
            person_id=self.person_id,
            organisation_id=self.organisation_id,
            session_id=self.session_id,
            browser=BROWSER.browser,
        )


@dataclass
class Portal:
    """A tenant, and what its people do there, each deed in a transaction of its own."""

    databases: Mapping[str, Database]
    tenant: UUID = field(default_factory=new_id)
    facts: TenantFacts = field(default_factory=tenant_facts)

    def at(
        self, service: str, principal: Principal = ANONYMOUS
    ) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work at a service."""
        return self.databases[service].begin(self.tenant, principal)

    # ── The tenant and its catalogue ─────────────────────────────────────────────────────────────

    async def opens(self) -> None:
        """The tenant begins."""
        async with self.at("identity") as work:
            await create_tenant(work, self.facts)

    async def is_renamed(self, name: str) -> None:
        """An operator calls it otherwise."""
        self.facts = self.facts.model_copy(update={"name": name})
        async with self.at("identity") as work:
            await change_tenant(work, self.facts)

    async def publishes_terms(self, text: str) -> int:
        """New terms come into force. Answers their number."""
        self.facts = self.facts.model_copy(update={"terms": {"fr": text}})
        async with self.at("identity") as work:
            return await publish_terms(work, {"fr": text})

    async def is_suspended(self) -> None:
        """Off the air."""
        async with self.at("identity") as work:
            await suspend_tenant(work)

    async def is_resumed(self) -> None:
        """Back again."""
        async with self.at("identity") as work:
            await resume_tenant(work)

    async def offers(self, *slugs: str, **changes: Any) -> None:
        """Procedures with these slugs, changed so, and no others, beside the account creation."""
        procedures = [a_procedure(slug, **changes) for slug in slugs]
        catalogue: CatalogueFile = a_catalogue(
            a_category("compte", the_registration()), a_category("logiciel", *procedures)
        )
        async with self.at("catalog") as work:
            await import_catalogue(work, catalogue)

    # ── Accounts ─────────────────────────────────────────────────────────────────────────────────

    async def is_asked(self, who: Someone, *, terms: int = 1) -> UUID:
        """Somebody registers. Answers the submission's id."""
        asked = filled(
            town_name=who.town,
            city=who.town,
            title=who.title,
            birth_name=who.name,
            first_name=who.first_name,
            email=who.address,
            terms=AcceptedTerms(terms, clock.now()),
        )
        async with self.at("identity", BROWSER) as work:
            request_id = await submit_registration(work, asked)
            found = await work.find(Registration, Registration.request_id == request_id)
            assert found is not None
            return found.id

    async def invites(self, who: Someone) -> UUID:
        """Somebody is invited. Answers the account's id."""
        async with self.at("identity") as work:
            return await invite_person(work, who.address)

    async def account_of(self, submission: UUID) -> UUID:
        """The account that a submission became, once identity has looked into it."""
        async with self.at("identity") as work:
            found = await work.fetch(Registration, submission)
            assert found.account_id is not None, f"the submission is {found.state}"
            return found.account_id

    async def is_asked_again(self, account: UUID, who: Someone) -> None:
        """The activation's mail was lost: another is asked for."""
        link = await self._link(account, who.address)
        async with self.at("identity") as work:
            await request_activation_again(work, link)

    async def activates(self, account: UUID, who: Someone) -> Known:
        """The pending account's person makes it theirs, by the newest link."""
        link = await self._link(account, who.address)
        async with self.at("identity", BROWSER) as work:
            session = await activate_account(work, link, Credentials(who.username, "no hash"))
            found = await work.fetch(Account, account)
            return Known(who, found.id, found.person_id, found.organisation_id, session.id)

    async def wants_another(self, submission: UUID, who: Someone) -> None:
        """Whose address was known already asks for a further account, by their mail's link."""
        link = self._minted(Purpose.FURTHER_ACCOUNT, submission, who.address)
        async with self.at("identity", BROWSER) as work:
            await ask_for_further_account(work, link)

    async def is_given(self, who: Someone, *, terms: int | None = 1) -> Known:
        """Somebody's account is brought over, active at once."""
        new = new_account(
            organisation=OrganisationFacts(who.town, who.town, "69700"),
            person=PersonFacts(who.title, who.name, who.first_name, who.address, "fr"),
            username=who.username,
            password_hash="no hash",
            terms_number=terms,
        )
        async with self.at("identity") as work:
            await create_account(work, new)
        return Known(who, new.account_id, new.person_id, new.organisation_id)

    async def tells_anew(self, known: Known, **changes: str) -> None:
        """Person and organisation changed: so would a profile's page tell of it."""
        async with self.at("identity") as work:
            account = await work.fetch(Account, known.account_id)
            person = await work.fetch(Person, known.person_id)
            organisation = await work.fetch(Organisation, known.organisation_id)
            for name, value in changes.items():
                setattr(person, name, value)
            person.address_key = normalise_address(person.address)
            organisation.name += " (mairie)"
            tell_profile(work, account, person)
            tell_organisation(work, organisation)

    async def signs_out(self, known: Known) -> None:
        """A session ends."""
        async with self.at("identity", known.principal()) as work:
            await sign_out(work)

    async def loses(self, lost: Lost, *, address: str = "", username: str = "") -> UUID:
        """Somebody says that they lost this. Answers the recovery's id."""
        async with self.at("identity", BROWSER) as work:
            return await submit_recovery(work, Loss(lost, address, username, "fr"))

    async def resets(self, known: Known, address: str) -> Known:
        """A new password is set by the newest link, once identity has looked into what was lost."""
        async with self.at("identity") as work:
            found = await work.db.execute(
                select(Reset.id)
                .where(Reset.account_id == known.account_id)
                .order_by(Reset.requested_at.desc())
                .limit(1)
            )
            link = self._minted(Purpose.RESET, found.scalar_one(), address)
        async with self.at("identity", BROWSER) as work:
            session = await reset_password(work, link, "another hash")
        return replace(known, session_id=session.id)

    async def changes_password(self, known: Known) -> None:
        """A new password is set by who knows the old one."""
        async with self.at("identity", known.principal()) as work:
            account = await work.fetch(Account, known.account_id)
            await change_password(work, account.password_hash or "", "a new hash")

    async def wants_mails_at(self, known: Known, address: str) -> UUID:
        """A new address is asked to confirm. Answers the change's id."""
        async with self.at("identity", known.principal()) as work:
            account = await work.fetch(Account, known.account_id)
            return await request_address_change(work, address, account.password_hash or "")

    async def confirms(self, change: UUID) -> None:
        """The new address does."""
        async with self.at("identity") as work:
            address = (await work.fetch(EmailChange, change)).address
        async with self.at("identity", BROWSER) as work:
            await confirm_address(work, self._minted(Purpose.EMAIL_CHANGE, change, address))

    async def erases(self, account: UUID) -> None:
        """An account goes, with its person."""
        async with self.at("identity") as work:
            await erase_account(work, account)

    # ── Requests ─────────────────────────────────────────────────────────────────────────────────

    async def files(
        self, known: Known, slug: str, *, answer: str, accepts: int | None = None, times: int = 1
    ) -> UUID:
        """A request is saved, as often as the button is pressed; the terms perhaps accepted."""
        procedure = await self._procedure(slug)
        filing = Filing(
            key=new_id(),
            procedure_id=procedure,
            procedure_title={"fr": slug},
            form_version=1,
            sections=(_answered(answer),),
            consent=Consent(
                self.tenant,
                known.person_id,
                procedure,
                accepts or 1,
                clock.now(),
                accepts is not None,
            ),
            timezone=self.facts.timezone,
        )
        for _ in range(times):
            async with self.at("requests", known.principal()) as work:
                saved = await save_request(work, filing)
        return saved

    async def begins(self, known: Known, slug: str, *, answer: str) -> UUID:
        """A request is begun and not sent. Answers the draft's id."""
        question = Field(key="what", kind="long_text", label={"fr": "Les faits"})
        section = Section(key="facts", title={"fr": "Les faits"}, fields=(question,))
        entry = Entry(
            key=new_id().hex,
            one_use_key=new_id(),
            procedure_id=await self._procedure(slug),
            slug=slug,
            title={"fr": slug},
            form_version=1,
            form=Form(sections=(section,)),
            values={"what": answer},
            timezone=self.facts.timezone,
        )
        async with self.at("requests", known.principal()) as work:
            draft_id = await save_draft(work, entry)
        assert draft_id is not None
        return draft_id

    async def throws_away(self, known: Known, draft: UUID) -> None:
        """A draft is thrown away by its author."""
        async with self.at("requests", known.principal()) as work:
            await discard_draft(work, draft)

    async def takes_back(self, known: Known, draft: UUID) -> None:
        """And taken back."""
        async with self.at("requests", known.principal()) as work:
            await restore_draft(work, draft)

    async def _procedure(self, slug: str) -> UUID:
        async with self.at("catalog") as work:
            found = await work.db.execute(
                select(Procedure.id).where(Procedure.slug == slug, Procedure.retired_at.is_(None))
            )
            return found.scalar_one()

    # ── Links ────────────────────────────────────────────────────────────────────────────────────

    async def _link(self, account: UUID, address: str) -> Link:
        async with self.at("identity") as work:
            found = await work.db.execute(
                select(Activation.id, Activation.purpose)
                .where(Activation.account_id == account)
                .order_by(Activation.requested_at.desc())
                .limit(1)
            )
            row = found.one()
        return self._minted(Purpose(row.purpose), row.id, address)

    def _minted(self, purpose: Purpose, id: UUID, address: str) -> Link:
        return Link(purpose, id, self.tenant, address_hash(address), clock.now())


def _answered(answer: str) -> AnsweredSection:
    return AnsweredSection(
        key="facts",
        title={"fr": "Les faits"},
        answers=(
            AnsweredField(
                key="question_1", label={"fr": "Ce qui s’est passé"}, value=answer, display=answer
            ),
        ),
    )
