"""Valid tenants, registrations and accounts, but for the changes that a test asks."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from chassis import clock
from chassis.forms import answered
from chassis.ids import new_id
from chassis.signatures import sign
from chassis.words import Translate
from contracts.identity import Brand, Support
from contracts.links import Purpose, address_hash
from services.identity.accounts.create_account import NewAccount
from services.identity.domain.registrations import FORM, TITLE, AcceptedTerms, Answers
from services.identity.domain.tenants import TenantFacts
from services.identity.hashing import hashed_now
from services.identity.people import OrganisationFacts, PersonFacts
from services.identity.registration.submit_registration import Filled

PASSWORD = "quatre chevaux lents boivent"


def _as_it_is(msgid: str, _language: str) -> str:
    return msgid


AS_IT_IS: Translate = _as_it_is


def tenant_facts(**changes: Any) -> TenantFacts:
    """A tenant of a name of its own."""
    slug = f"t{new_id().hex[-12:]}"
    given: dict[str, Any] = {
        "slug": slug,
        "host": f"{slug}.localhost",
        "name": "YPOK",
        "brand": Brand(portal_name="YService", colour="#1f5fa8"),
        "support": Support(phone="04.72.26.06.86", hours={"fr": "24h/24"}, mail="sav@example.org"),
        "terms": {"fr": "Soyez aimables."},
    }
    return TenantFacts(**{**given, **changes})


def answers(**changes: Any) -> Answers:
    """What the town of Givors' person in charge types."""
    given = Answers("Givors", "Givors", "69700", "Mme", "Durand", "Claire", "mairie@givors.example")
    return replace(given, **changes)


def filled(**changes: Any) -> Filled:
    """A recap that is to be saved; takes changes of the answers too."""
    told = answers(**{k: changes.pop(k) for k in list(changes) if k in Answers.__annotations__})
    values = {one.key: getattr(told, one.key) for one in FORM.fields()}
    given = Filled(
        answers=told,
        title={"fr": TITLE},
        sections=answered(FORM, values, ["fr"], AS_IT_IS),
        language="fr",
        terms=AcceptedTerms(1, clock.now()),
        one_use_key=new_id().hex,
    )
    return replace(given, **changes)


def new_account(**changes: Any) -> NewAccount:
    """An active account, as the demo has them."""
    given = NewAccount(
        account_id=new_id(),
        person_id=new_id(),
        organisation_id=new_id(),
        organisation=OrganisationFacts("Givors", "Givors", "69700"),
        person=PersonFacts("Mme", "Durand", "Claire", "claire@givors.example", "fr"),
        username="givors",
        password_hash=hashed_now(PASSWORD),
        roles=("customer",),
        terms_number=1,
    )
    return replace(given, **changes)


def a_link(
    signing_key: Any, purpose: Purpose, id: UUID, tenant: UUID, address: str, **changes: Any
) -> str:
    """A link's token as the notifier mints it; `sent_s` moves its sending by that many seconds."""
    kid, private = signing_key
    sent = clock.now().timestamp() + changes.pop("sent_s", 0)
    claims = {
        "p": purpose.value,
        "i": id.hex,
        "t": str(tenant),
        "a": address_hash(address),
        "s": int(sent),
    }
    return sign(private, kid, {**claims, **changes})
