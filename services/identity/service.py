"""The assembly of identity: read it first."""

from pathlib import Path

from chassis.database.migrate import Schema
from chassis.service import Service
from chassis.subscriptions import every, newest, on, when_due
from chassis.tenants import project_tenant
from chassis.web.install import install_web
from contracts.identity import RecoverySubmitted, RegistrationSubmitted, TenantChanged
from contracts.requests import TermsAccepted
from services.identity.activation import pages as activation
from services.identity.handlers.identity import look_into_recovery, look_into_registration
from services.identity.handlers.requests import keep_acceptance
from services.identity.profile import pages as profile
from services.identity.profile.lapse_address_change import (
    LapseAddressChange,
    lapse_address_change,
)
from services.identity.recovery import pages as recovery
from services.identity.recovery.lapse_recovery import LapseRecovery, lapse_recovery
from services.identity.registration import pages as registration
from services.identity.registration.lapse_registration import LapseRegistration, lapse_registration
from services.identity.signing_in import api as sessions
from services.identity.signing_in import pages as signing_in
from services.identity.tables import Base
from services.identity.tenants import api as tenants
from services.identity.texts import pages as texts
from services.identity.web import web

service = Service(
    name="identity",
    schema=Schema("identity", Base.metadata, Path(__file__).parent / "migrations"),
    routers=[
        registration.router,
        activation.router,
        signing_in.router,
        recovery.router,
        profile.router,
        texts.router,
        sessions.api,
        tenants.api,
    ],
    subscriptions=[
        on(TenantChanged, project_tenant, newest),
        on(RegistrationSubmitted, look_into_registration, every),
        on(RecoverySubmitted, look_into_recovery, every),
        on(TermsAccepted, keep_acceptance, every),
    ],
    timers=[
        when_due(LapseRegistration, lapse_registration),
        when_due(LapseRecovery, lapse_recovery),
        when_due(LapseAddressChange, lapse_address_change),
    ],
    extend=[install_web(web)],
)
