"""What identity tells: tenants, accounts, people, organisations, and the links it asks to send."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.event import Event
from contracts.forms import AnsweredSection
from contracts.words import Words


class Brand(BaseModel):
    """How a portal looks: its name, and the one colour that its palette is computed from."""

    model_config = ConfigDict(frozen=True)
    portal_name: str
    colour: str  # #rrggbb
    tagline: Words = Field(default_factory=dict)


class Support(BaseModel):
    """How customers reach the team besides the portal."""

    model_config = ConfigDict(frozen=True)
    phone: str
    hours: Words
    mail: str


class Terms(BaseModel):
    """The terms of use in force: a number raised with each new text."""

    model_config = ConfigDict(frozen=True)
    version: int
    published_at: AwareDatetime
    text: Words


class TenantChanged(Event, source="identity", version=1, subject="tenant_id"):
    """A tenant as it now is, whole. Suspension is a state: it may be resumed."""

    tenant_id: UUID
    slug: str
    name: str
    host: str  # the name in a Host header, without port
    origin: str | None  # scheme, host and port of its links, where they are not built from the host
    state: Literal["active", "suspended"]
    brand: Brand
    support: Support
    signature: Words  # closes every mail
    languages: tuple[str, ...]  # the first is the default
    timezone: str  # an IANA name
    terms: Terms
    texts: dict[str, Words] = Field(default_factory=dict)  # legal, privacy, accessibility, help


class RegistrationSubmitted(
    Event, source="identity", version=1, subject="submission_id", concerns=("request_id",)
):
    """Somebody asked for an account, whether or not their address is known already."""

    submission_id: UUID
    request_id: UUID  # the request `Création de compte` that records it
    title: Words
    sections: tuple[AnsweredSection, ...]
    language: str
    terms_version: int
    submitted_at: AwareDatetime


class AccountRegistered(
    Event,
    source="identity",
    version=1,
    subject="account_id",
    concerns=("person_id", "submission_id"),
):
    """An account exists, not active yet."""

    account_id: UUID
    person_id: UUID
    organisation_id: UUID
    submission_id: UUID | None
    registered_at: AwareDatetime


class ActivationRequested(
    Event,
    source="identity",
    version=1,
    subject="activation_id",
    concerns=("account_id", "submission_id"),
):
    """Someone waits for a link that activates their account: the notifier mints and mails it."""

    activation_id: UUID
    account_id: UUID
    submission_id: UUID | None
    address: str
    language: str
    requested_at: AwareDatetime  # not sent within seven days: dropped


class AddressAlreadyKnown(
    Event, source="identity", version=1, subject="submission_id", concerns=()
):
    """Who asked for an account has one already: their mail says so and offers a further one."""

    submission_id: UUID
    address: str
    usernames: tuple[str, ...]
    account_ids: tuple[UUID, ...] = ()  # of the usernames, in their order: an erasure finds them
    language: str
    requested_at: AwareDatetime


class InvitationRequested(
    Event, source="identity", version=1, subject="invitation_id", concerns=("account_id",)
):
    """Somebody is invited to an account that was made for them, such as a tenant's first person."""

    invitation_id: UUID
    account_id: UUID
    address: str
    language: str
    requested_at: AwareDatetime


class AccountActivated(
    Event,
    source="identity",
    version=1,
    subject="account_id",
    concerns=("person_id", "submission_id"),
):
    """A person chose their identifier and password. Links their registration's request to them."""

    account_id: UUID
    person_id: UUID
    organisation_id: UUID
    submission_id: UUID | None
    terms_version: int | None
    terms_accepted_at: datetime | None
    activated_at: AwareDatetime


class RegistrationLapsed(Event, source="identity", version=1, subject="submission_id", ends=True):
    """A registration was never activated: what it told is erased."""

    submission_id: UUID


class ProfileChanged(
    Event, source="identity", version=1, subject="person_id", concerns=("account_id",)
):
    """A person as they now are, whole."""

    person_id: UUID
    account_id: UUID
    organisation_id: UUID | None
    username: str
    title: str  # "Mme" or "M."
    birth_name: str
    first_name: str
    address: str
    phone: str | None = None
    language: str
    roles: tuple[str, ...]


class OrganisationChanged(Event, source="identity", version=1, subject="organisation_id"):
    """An organisation as it now is, whole."""

    organisation_id: UUID
    name: str
    city: str
    postcode: str


class RecoverySubmitted(Event, source="identity", version=1, subject="recovery_id"):
    """Somebody says that they lost identifier or password, whether or not they are known here.

    What they typed stays with identity, which looks it up once they have their answer.
    """

    recovery_id: UUID
    lost: Literal["username", "password"]
    language: str
    submitted_at: AwareDatetime


class UsernameReminderRequested(Event, source="identity", version=1, subject="recovery_id"):
    """Who lost their identifier is told every one of their address: town halls share mailboxes."""

    recovery_id: UUID
    address: str
    usernames: tuple[str, ...]
    account_ids: tuple[UUID, ...]  # of the usernames, in their order: an erasure finds them
    language: str
    requested_at: AwareDatetime  # not sent within seven days: dropped


class PasswordResetRequested(
    Event, source="identity", version=1, subject="reset_id", concerns=("account_id",)
):
    """Someone waits for a link that sets a new password: the notifier mints and mails it.

    Of an address with several accounts each is asked for by an event of its own.
    """

    reset_id: UUID
    account_id: UUID
    username: str  # which of the address's it is for
    address: str
    language: str
    requested_at: AwareDatetime  # not sent within seven days: dropped


class PasswordChanged(Event, source="identity", version=1, subject="account_id"):
    """An account has a new password: its person is told, in case it was not them."""

    account_id: UUID
    username: str
    address: str
    language: str
    changed_at: AwareDatetime


class EmailChangeRequested(
    Event, source="identity", version=1, subject="change_id", concerns=("account_id",)
):
    """A person wants their mails at another address, which must confirm it by a link."""

    change_id: UUID
    account_id: UUID
    username: str
    address: str  # the new one
    language: str
    requested_at: AwareDatetime  # not sent within seven days: dropped


class EmailChanged(
    Event, source="identity", version=1, subject="account_id", concerns=("person_id",)
):
    """A person's mails go to another address: the old one is told, in case it was not them."""

    account_id: UUID
    person_id: UUID
    username: str
    old_address: str
    new_address: str
    language: str
    changed_at: AwareDatetime


class SessionRevoked(Event, source="identity", version=1, subject="scope_id"):
    """A session, all sessions of an account, or all of a tenant, ended."""

    scope: Literal["session", "account", "tenant"]
    scope_id: UUID
    revoked_at: AwareDatetime


class AccountErased(
    Event,
    source="identity",
    version=1,
    subject="account_id",
    concerns=("submission_id",),
    ends=True,
):
    """An account and its person are gone; whoever keeps something of them lets it go.

    Names the registration that the account came from, for who is told of it only later.
    """

    account_id: UUID
    person_id: UUID
    submission_id: UUID | None = None
