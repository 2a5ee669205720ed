"""The catalog's assembly."""

from pathlib import Path

from chassis.database.migrate import Schema
from chassis.service import Service
from chassis.subscriptions import every, newest, on
from chassis.tenants import project_tenant
from chassis.web.install import install_web
from contracts.identity import AccountErased, TenantChanged
from contracts.requests import DraftDiscarded, DraftEnded, DraftKept
from services.catalog.browsing import pages as browsing
from services.catalog.handlers.identity import erase_account
from services.catalog.handlers.requests import project_draft
from services.catalog.tables import Base
from services.catalog.web import web

service = Service(
    name="catalog",
    schema=Schema("catalog", Base.metadata, Path(__file__).parent / "migrations"),
    routers=[browsing.router],
    subscriptions=[
        on(TenantChanged, project_tenant, newest),
        on((DraftKept, DraftDiscarded, DraftEnded), project_draft, newest),
        on(AccountErased, erase_account, every),
    ],
    extend=[install_web(web)],
)
