"""The catalog's assembly."""

from pathlib import Path

from chassis.database.migrate import Schema
from chassis.service import Service
from chassis.subscriptions import newest, on
from chassis.tenants import project_tenant
from chassis.web.install import install_web
from contracts.identity import TenantChanged
from services.catalog.browsing import pages as browsing
from services.catalog.tables import Base
from services.catalog.web import web

service = Service(
    name="catalog",
    schema=Schema("catalog", Base.metadata, Path(__file__).parent / "migrations"),
    routers=[browsing.router],
    subscriptions=[on(TenantChanged, project_tenant, newest)],
    extend=[install_web(web)],
)
