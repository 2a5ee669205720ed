"""The notifier's assembly: its handlers. It serves no pages, and delivery is a part of its own."""

from pathlib import Path

from chassis.database.migrate import Schema
from chassis.service import Service
from chassis.subscriptions import every, newest, on
from chassis.tenants import project_tenant
from contracts.identity import (
    AccountErased,
    ActivationRequested,
    AddressAlreadyKnown,
    EmailChanged,
    EmailChangeRequested,
    InvitationRequested,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationLapsed,
    TenantChanged,
    UsernameReminderRequested,
)
from contracts.requests import RequestSaved
from services.notifier.handlers.identity import (
    erase_account,
    erase_submission,
    mail_activation,
    mail_address_change,
    mail_address_changed,
    mail_address_known,
    mail_invitation,
    mail_password_changed,
    mail_password_reset,
    mail_username_reminder,
    project_requester,
)
from services.notifier.handlers.requests import mail_request_recorded
from services.notifier.queueing.by_tenant import install_operations
from services.notifier.tables import Base

service = Service(
    name="notifier",
    schema=Schema("notifier", Base.metadata, Path(__file__).parent / "migrations"),
    routers=[],
    subscriptions=[
        on(TenantChanged, project_tenant, newest),
        on(ProfileChanged, project_requester, newest),
        on(ActivationRequested, mail_activation, every),
        on(AddressAlreadyKnown, mail_address_known, every),
        on(InvitationRequested, mail_invitation, every),
        on(UsernameReminderRequested, mail_username_reminder, every),
        on(PasswordResetRequested, mail_password_reset, every),
        on(PasswordChanged, mail_password_changed, every),
        on(EmailChangeRequested, mail_address_change, every),
        on(EmailChanged, mail_address_changed, every),
        on(RequestSaved, mail_request_recorded, every),
        on(RegistrationLapsed, erase_submission, every),
        on(AccountErased, erase_account, every),
    ],
    extend=[install_operations],
)
