"""Where the installation has a server of its own: its roles' passwords, and a service's database.

The passwords are made from a secret in the key folder, so that none is written down anywhere.
"""

from chassis.database.migrate import with_database
from chassis.database.roles import database_name, derived_password, role_name
from chassis.keys import Keys
from chassis.work import Database


def passwords_of(keys: Keys, service: str) -> dict[str, str]:
    """The passwords of the service's roles that sign in, by role."""
    secret = keys.secret("postgres")
    return {role: derived_password(secret, role_name(service, role)) for role in ("app", "mover")}


def database_of(keys: Keys, server_url: str, service: str) -> Database:
    """A service's database on the installation's own server."""
    inside = with_database(server_url, database_name(service))
    urls = {
        role: signed_in(inside, role_name(service, role), password)
        for role, password in passwords_of(keys, service).items()
    }
    return Database(service, urls["app"], urls["mover"])


def signed_in(url: str, user: str, password: str) -> str:
    """The URL with these credentials instead of its own."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{user}:{password}@{rest.rpartition('@')[2]}"
