"""What an installation is made of, whichever way it runs: services, their databases, the parts."""

from collections.abc import Mapping

from chassis.database.migrate import migrate
from chassis.keys import Keys
from chassis.service import Service
from guichet.passwords import passwords_of
from services.catalog.service import service as catalog
from services.identity.service import service as identity
from services.notifier.service import service as notifier
from services.requests.service import service as requests

SERVICES: Mapping[str, Service] = {
    service.name: service for service in (identity, catalog, requests, notifier)
}

GATEWAY = "gateway"
DELIVERY = "notifier-delivery"
PORTS: Mapping[str, int] = {
    "identity": 8101,
    "catalog": 8102,
    "requests": 8103,
    "notifier": 8104,
    DELIVERY: 8105,
}
"""Where a part listens unless the settings say so; the gateway, on the portal's port."""
PARTS = (GATEWAY, *PORTS)
"""What `guichet serve` runs, each as a process of its own, any number of times."""


async def migrate_all(admin_url: str, keys: Keys) -> dict[str, list[str]]:
    """Make or update every service's database. Answers by service the steps that were run."""
    return {
        name: await migrate(admin_url, service.schema, passwords_of(keys, name))
        for name, service in SERVICES.items()
    }
