"""Settings of an installation, read from the environment under the prefix `GUICHET_`."""

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may set. Every one has a default that the embedded way runs with."""

    model_config = SettingsConfigDict(env_prefix="GUICHET_", extra="ignore", frozen=True)

    http_port: int = 8080
    smtp_port: int = 1025
    mailbox_port: int = 8025
    data_dir: Path | None = None  # none: /var/lib/guichet for root, else the user's data folder
    demo: bool = True  # load the demo tenant at first start

    public_scheme: Literal["http", "https"] = "http"
    public_port: int | None = None  # in links; none: http_port
    base_domain: str = "localhost"  # a tenant's host, unless it has its own: slug.base_domain
    default_tenant: str | None = None  # slug served for hosts that nobody has

    relay_host: str | None = None  # mail relay; none: the built-in catcher
    relay_port: int = 25
    relay_timeout_s: float = 30

    database_prefix: str = "guichet"  # begins the names of databases and roles
    postgres_bin: Path | None = None
    log_format: Literal["console", "json"] = "console"
    log_level: str = "INFO"
    guarded_posts_a_minute: int = 300  # unsafe requests an address may send; 0: no limit

    def tenant_origin(self, host: str) -> str:
        """Scheme, host and, unless it is the scheme's own, port of a tenant's links."""
        port = self.public_port or self.http_port
        usual = {"http": 80, "https": 443}[self.public_scheme]
        return f"{self.public_scheme}://{host}" + ("" if port == usual else f":{port}")
