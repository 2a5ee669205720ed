"""Requests and what they are made of: valid ones but for the changes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.ids import new_id
from chassis.principals import CUSTOMER, Principal
from contracts.catalog import ProcedurePublished
from contracts.event import Envelope, Event, sealed
from contracts.forms import AnsweredField, AnsweredSection, Choice, Field, Form, Section
from contracts.identity import (
    AccountActivated,
    AccountErased,
    Brand,
    OrganisationChanged,
    ProfileChanged,
    RegistrationLapsed,
    RegistrationSubmitted,
    Support,
    TenantChanged,
    Terms,
)
from contracts.notifier import Cause, MailAccepted, MailRefused

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)


def told(tenant: UUID, event: Event, *, version: int = 1) -> Envelope:
    """The event in an envelope of that version, of a transaction like any other."""
    return sealed(
        event, id=new_id(), tenant=tenant, time=NOON, version=version, epoch=1, traceparent=None
    )


def a_portal(tenant: UUID, *, terms: int = 1, **changes: Any) -> TenantChanged:
    """A tenant that customers file at."""
    values = {
        "tenant_id": tenant,
        "slug": "ypok",
        "name": "YPOK",
        "host": "ypok.localhost",
        "origin": None,
        "state": "active",
        "brand": Brand(portal_name="YService", colour="#1f5fa8"),
        "support": Support(
            phone="04.72.26.06.86", hours={"fr": "24h/24 et 7j/7"}, mail="sav@ypok.example"
        ),
        "signature": {"fr": "Le Service SAV d'YPOK"},
        "languages": ("fr",),
        "timezone": "Europe/Paris",
        "terms": Terms(version=terms, published_at=NOON, text={"fr": "…"}),
    }
    return TenantChanged.model_validate({**values, **changes})


def a_question(key: str, **changes: Any) -> Field:
    """A question of a published form."""
    values = {"key": key, "kind": "text", "label": {"fr": f"Question {key}"}}
    return Field.model_validate({**values, **changes})


def a_form(*more: Field) -> Form:
    """What an anomaly's form asks, and more."""
    return Form(
        sections=(
            Section(
                key="problem",
                title={"fr": "Le problème"},
                fields=(
                    a_question("what", kind="long_text", label={"fr": "Que se passe-t-il ?"}),
                    a_question(
                        "blocking",
                        kind="choice",
                        label={"fr": "Le travail est-il bloqué ?"},
                        choices=(
                            Choice(value="yes", label={"fr": "Oui, tout est arrêté"}),
                            Choice(value="no", label={"fr": "Non"}),
                        ),
                    ),
                    *more,
                ),
            ),
            Section(
                key="person",
                title={"fr": "Vous rappeler"},
                fields=(
                    a_question(
                        "phone",
                        kind="phone",
                        label={"fr": "Téléphone"},
                        required=False,
                        prefill="person.phone",
                    ),
                    a_question(
                        "mail", kind="email", label={"fr": "Courriel"}, prefill="person.email"
                    ),
                ),
            ),
        )
    )


def a_procedure(**changes: Any) -> ProcedurePublished:
    """A procedure that is offered."""
    values = {
        "procedure_id": new_id(),
        "category_id": new_id(),
        "slug": "anomalie-ypolice",
        "title": {"fr": "Anomalie - logiciel YPolice"},
        "description": {"fr": "Signaler une anomalie."},
        "minutes": 5,
        "opens": "form",
        "form_version": 1,
        "form": a_form(),
    }
    return ProcedurePublished.model_validate({**values, **changes})


def answers(**changes: str) -> dict[str, str]:
    """What a town answers to `a_form`, as a browser sends it."""
    values = {
        "what": "L'écran reste blanc.\r\nDepuis ce matin.",
        "blocking": "yes",
        "phone": "04 72 00 00 00",
        "mail": "mairie@saint-amand.example",
    }
    return {**values, **changes}


def some_sections(answer: str = "L'écran reste blanc.") -> tuple[AnsweredSection, ...]:
    """Answers with their questions."""
    return (
        AnsweredSection(
            key="problem",
            title={"fr": "Le problème"},
            answers=(
                AnsweredField(
                    key="what", label={"fr": "Que se passe-t-il ?"}, value=answer, display=answer
                ),
            ),
        ),
    )


@dataclass(frozen=True)
class Town:
    """A person of a town, from their registration on, and what identity tells of them."""

    person_id: UUID = field(default_factory=new_id)
    account_id: UUID = field(default_factory=new_id)
    organisation_id: UUID = field(default_factory=new_id)
    submission_id: UUID = field(default_factory=new_id)
    request_id: UUID = field(default_factory=new_id)

    def principal(self, **changes: Any) -> Principal:
        """The person, signed in."""
        values = {
            "kind": "person",
            "account_id": self.account_id,
            "person_id": self.person_id,
            "organisation_id": self.organisation_id,
            "session_id": new_id(),
            "roles": frozenset({CUSTOMER}),
            "display_name": "MARTIN Alix",
            "browser": "b" * 64,
        }
        return Principal(**{**values, **changes})

    def submits(self, **changes: Any) -> RegistrationSubmitted:
        """Asked for an account."""
        values = {
            "submission_id": self.submission_id,
            "request_id": self.request_id,
            "title": {"fr": "Création de compte"},
            "sections": some_sections("Saint-Amand"),
            "language": "fr",
            "terms_version": 1,
            "submitted_at": NOON,
        }
        return RegistrationSubmitted.model_validate({**values, **changes})

    def activates(self, **changes: Any) -> AccountActivated:
        """Chose identifier and password."""
        values = {
            "account_id": self.account_id,
            "person_id": self.person_id,
            "organisation_id": self.organisation_id,
            "submission_id": self.submission_id,
            "terms_version": 1,
            "terms_accepted_at": NOON,
            "activated_at": NOON + timedelta(hours=1),
        }
        return AccountActivated.model_validate({**values, **changes})

    def is_called(self, **changes: Any) -> ProfileChanged:
        """The person as they are."""
        values = {
            "person_id": self.person_id,
            "account_id": self.account_id,
            "organisation_id": self.organisation_id,
            "username": "saint-amand",
            "title": "Mme",
            "birth_name": "Martin",
            "first_name": "Alix",
            "address": "mairie@saint-amand.example",
            "phone": "0472000000",
            "language": "fr",
            "roles": (CUSTOMER,),
        }
        return ProfileChanged.model_validate({**values, **changes})

    def stands_at(self, **changes: Any) -> OrganisationChanged:
        """The town as it is."""
        values = {
            "organisation_id": self.organisation_id,
            "name": "Saint-Amand",
            "city": "Saint-Amand-Montrond",
            "postcode": "18200",
        }
        return OrganisationChanged.model_validate({**values, **changes})

    def gets_mail(self, **changes: Any) -> MailAccepted:
        """The mail with the link to activate was taken."""
        values = {
            "mail_id": new_id(),
            "template": "activation",
            "cause_id": new_id(),
            "submission_id": self.submission_id,
            "account_id": self.account_id,
            "attempts": 1,
            "accepted_at": NOON,
            "code": 250,
            "words": "2.0.0 queued as 4TQ1",
        }
        return MailAccepted.model_validate({**values, **changes})

    def gets_no_mail(self, **changes: Any) -> MailRefused:
        """The mail with the link to activate was refused."""
        values = {
            **self.gets_mail().model_dump(),
            "refused_at": NOON,
            "cause": Cause.REFUSED,
            "code": 550,
            "words": "5.1.1 no such mailbox",
        }
        return MailRefused.model_validate({**values, **changes})

    def lapses(self) -> RegistrationLapsed:
        """Never activated."""
        return RegistrationLapsed(submission_id=self.submission_id)

    def is_erased(self, **changes: Any) -> AccountErased:
        """Gone."""
        values = {
            "account_id": self.account_id,
            "person_id": self.person_id,
            "submission_id": self.submission_id,
        }
        return AccountErased.model_validate({**values, **changes})

    def arrives(self) -> list[Event]:
        """All that is told of a person who has an account."""
        return [self.is_called(), self.stands_at(), self.submits(), self.activates()]
