"""Settings of an installation, read from the environment under the prefix `GUICHET_`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=0)]
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda name: name.upper() if isinstance(name, str) else name),
]


class Naming(BaseSettings):
    """What is named before anything else is read."""

    model_config = SettingsConfigDict(env_prefix="GUICHET_", extra="ignore", frozen=True)

    database_prefix: str = "guichet"  # begins the names of databases and roles


class Settings(Naming):
    """What an operator may set. Every one has a default that the embedded way runs with."""

    http_port: Port = 8080
    smtp_port: Port = 1025
    mailbox_port: Port = 8025
    data_dir: Path | None = None  # none: /var/lib/guichet for root, else the user's data folder
    files_dir: Path | None = None  # attachments; none: a folder beside the keys, with the data
    demo: bool = True  # load the demo tenant at first start
    gallery: bool = False  # serve /ui, every component on a page: for development

    public_scheme: Literal["http", "https"] = "http"
    public_port: Port | None = None  # in links; none: http_port
    base_domain: HostName = "localhost"  # a tenant's host, unless it has its own: slug.base_domain
    default_tenant: str | None = None  # slug served for hosts that nobody has

    relay_host: str | None = None  # mail relay; none: the built-in catcher
    relay_port: Port = 25
    relay_timeout_s: Annotated[float, Field(gt=0)] = 30

    database_prefix: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")] = "guichet"
    postgres_bin: Path | None = None
    pseudo_locale: bool = False  # offer en_XA, which shows what is not translated, on every portal
    log_format: Literal["console", "json"] = "console"
    log_level: Level = "INFO"
    guarded_posts_a_minute: Annotated[int, Field(ge=0)] = (
        300  # unsafe requests an address may send; 0: no limit
    )

    def tenant_origin(self, host: str) -> str:
        """Scheme, host and, unless it is the scheme's own, port of a tenant's links."""
        port = self.public_port or self.http_port
        usual = {"http": 80, "https": 443}[self.public_scheme]
        return f"{self.public_scheme}://{host}" + ("" if port == usual else f":{port}")
