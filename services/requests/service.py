"""The assembly of requests: its pages, its handlers, its tables. Read it first."""

from pathlib import Path

from chassis.database.migrate import Schema
from chassis.service import Service
from chassis.subscriptions import every, newest, on, when_due
from chassis.tenants import project_tenant
from chassis.web.install import install_web
from contracts.catalog import ProcedurePublished, ProcedureRetired
from contracts.identity import (
    AccountActivated,
    AccountErased,
    OrganisationChanged,
    ProfileChanged,
    RegistrationLapsed,
    RegistrationSubmitted,
    TenantChanged,
)
from contracts.notifier import MailAccepted, MailRefused
from services.requests.attachments import pages as attachments
from services.requests.attachments.sweep_bytes import install_sweep
from services.requests.exchanges import pages as exchanges
from services.requests.filing import draft_pages
from services.requests.filing import pages as filing
from services.requests.filing.discard_draft import DropDraft, drop_draft
from services.requests.filing.holding import install_holding
from services.requests.filing.lapse_draft import LapseDraft, lapse_draft
from services.requests.following import pages as following
from services.requests.handlers.catalog import project_procedure
from services.requests.handlers.identity import (
    erase_person,
    erase_registration,
    keep_acceptance,
    link_registration,
    project_organisation,
    project_requester,
    record_registration,
)
from services.requests.handlers.notifier import note_mail
from services.requests.tables import Base
from services.requests.web import web

service = Service(
    name="requests",
    schema=Schema("requests", Base.metadata, Path(__file__).parent / "migrations"),
    routers=[filing.pages, draft_pages.pages, attachments.pages, following.pages, exchanges.pages],
    subscriptions=[
        on(TenantChanged, project_tenant, newest),
        on((ProcedurePublished, ProcedureRetired), project_procedure, newest),
        on(ProfileChanged, project_requester, newest),
        on(OrganisationChanged, project_organisation, newest),
        on(RegistrationSubmitted, record_registration, every, alone=True),  # it takes a number
        on(AccountActivated, link_registration, every),
        on(AccountActivated, keep_acceptance, every),
        on(RegistrationLapsed, erase_registration, every),
        on(AccountErased, erase_person, every),
        on((MailAccepted, MailRefused), note_mail, every),
    ],
    timers=[when_due(LapseDraft, lapse_draft), when_due(DropDraft, drop_draft)],
    extend=[install_web(web), install_sweep, install_holding],
)
