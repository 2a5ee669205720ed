"""The assembly of identity: read it first."""

from pathlib import Path

from chassis.database.migrate import Schema
from chassis.service import Service
from chassis.subscriptions import every, newest, on, when_due
from chassis.tenants import project_tenant
from contracts.identity import RegistrationSubmitted, TenantChanged
from contracts.requests import TermsAccepted
from services.identity.handlers.identity import look_into_registration
from services.identity.handlers.requests import keep_acceptance
from services.identity.registration.lapse_registration import LapseRegistration, lapse_registration
from services.identity.tables import Base
from services.identity.tenants import api

service = Service(
    name="identity",
    schema=Schema("identity", Base.metadata, Path(__file__).parent / "migrations"),
    routers=[api.api],
    subscriptions=[
        on(TenantChanged, project_tenant, newest),
        on(RegistrationSubmitted, look_into_registration, every),
        on(TermsAccepted, keep_acceptance, every),
    ],
    timers=[when_due(LapseRegistration, lapse_registration)],
)
