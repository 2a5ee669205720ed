"""Events as the notifier hears them: valid ones but for the changes."""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5

from chassis.ids import new_id
from contracts.event import Envelope, Event, sealed
from contracts.identity import (
    AccountErased,
    ActivationRequested,
    AddressAlreadyKnown,
    Brand,
    EmailChanged,
    EmailChangeRequested,
    InvitationRequested,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationLapsed,
    Support,
    TenantChanged,
    Terms,
    UsernameReminderRequested,
)
from contracts.requests import RequestSaved

E = TypeVar("E", bound=Event)

MAYOR = "mairie@saint-amand.example"


def now() -> datetime:
    return datetime.now(UTC)


def _made(kind: type[E], values: dict[str, Any], changes: dict[str, Any]) -> E:
    return kind.model_validate({**values, **changes})


def a_tenant(tenant: UUID, **changes: Any) -> TenantChanged:
    values = {
        "tenant_id": tenant,
        "slug": "ypok",
        "name": "YPOK",
        "host": "ypok.localhost",
        "origin": None,
        "state": "active",
        "brand": Brand(portal_name="YService", colour="#1f5fa8"),
        "support": Support(phone="04.72.26.06.86", hours={}, mail="sav@ypok.example"),
        "signature": {"fr": "Le Service SAV d'YPOK"},
        "languages": ("fr",),
        "timezone": "Europe/Paris",
        "terms": Terms(version=1, published_at=now(), text={"fr": "…"}),
    }
    return _made(TenantChanged, values, changes)


def an_activation_request(**changes: Any) -> ActivationRequested:
    values = {
        "activation_id": new_id(),
        "account_id": new_id(),
        "submission_id": new_id(),
        "address": MAYOR,
        "language": "fr",
        "requested_at": now(),
    }
    return _made(ActivationRequested, values, changes)


def a_known_address(**changes: Any) -> AddressAlreadyKnown:
    values = {
        "submission_id": new_id(),
        "address": MAYOR,
        "usernames": ("saint-amand", "police-saint-amand"),
        "account_ids": (new_id(), new_id()),
        "language": "fr",
        "requested_at": now(),
    }
    return _made(AddressAlreadyKnown, values, changes)


def an_invitation(**changes: Any) -> InvitationRequested:
    values = {
        "invitation_id": new_id(),
        "account_id": new_id(),
        "address": MAYOR,
        "language": "fr",
        "requested_at": now(),
    }
    return _made(InvitationRequested, values, changes)


def a_reminder(**changes: Any) -> UsernameReminderRequested:
    values = {
        "recovery_id": new_id(),
        "address": MAYOR,
        "usernames": ("saint-amand", "police-saint-amand"),
        "account_ids": (new_id(), new_id()),
        "language": "fr",
        "requested_at": now(),
    }
    return _made(UsernameReminderRequested, values, changes)


def a_password_reset(**changes: Any) -> PasswordResetRequested:
    values = {
        "reset_id": new_id(),
        "account_id": new_id(),
        "username": "saint-amand",
        "address": MAYOR,
        "language": "fr",
        "requested_at": now(),
    }
    return _made(PasswordResetRequested, values, changes)


def a_changed_password(**changes: Any) -> PasswordChanged:
    values = {
        "account_id": new_id(),
        "username": "saint-amand",
        "address": MAYOR,
        "language": "fr",
        "changed_at": now(),
    }
    return _made(PasswordChanged, values, changes)


def an_address_change(**changes: Any) -> EmailChangeRequested:
    values = {
        "change_id": new_id(),
        "account_id": new_id(),
        "username": "saint-amand",
        "address": "secretariat@saint-amand.example",
        "language": "fr",
        "requested_at": now(),
    }
    return _made(EmailChangeRequested, values, changes)


def a_changed_address(**changes: Any) -> EmailChanged:
    values = {
        "account_id": new_id(),
        "person_id": new_id(),
        "username": "saint-amand",
        "old_address": MAYOR,
        "new_address": "secretariat@saint-amand.example",
        "language": "fr",
        "changed_at": now(),
    }
    return _made(EmailChanged, values, changes)


def a_profile(**changes: Any) -> ProfileChanged:
    values = {
        "person_id": new_id(),
        "account_id": new_id(),
        "organisation_id": new_id(),
        "username": "saint-amand",
        "title": "Mme",
        "birth_name": "Dupré",
        "first_name": "Anne",
        "address": MAYOR,
        "language": "fr",
        "roles": ("customer",),
    }
    return _made(ProfileChanged, values, changes)


def a_saved_request(**changes: Any) -> RequestSaved:
    values = {
        "request_id": new_id(),
        "number": "2026-000123",
        "procedure_id": new_id(),
        "procedure_title": {"fr": "Anomalie - logiciel YPolice"},
        "person_id": new_id(),
        "account_id": new_id(),
        "organisation_id": new_id(),
        "submission_id": None,
        "saved_at": now(),
    }
    return _made(RequestSaved, values, changes)


def an_erasure(account: UUID, person: UUID, submission: UUID | None = None) -> AccountErased:
    return AccountErased(account_id=account, person_id=person, submission_id=submission)


def a_lapse(submission: UUID) -> RegistrationLapsed:
    return RegistrationLapsed(submission_id=submission)


def told(tenant: UUID, event: Event, *, version: int = 1, id: UUID | None = None) -> Envelope:
    """The event as it comes from elsewhere."""
    return sealed(
        event,
        id=id or new_id(),
        tenant=tenant,
        time=now(),
        version=version,
        epoch=1,
        traceparent=None,
    )


def the_id(number: int) -> UUID:
    """The same id for the same number, in every run."""
    return uuid5(UUID(int=0), str(number))
