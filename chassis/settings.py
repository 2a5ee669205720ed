"""Settings of an installation, read from the environment under the prefix `GUICHET_`."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=0)]
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda name: name.upper() if isinstance(name, str) else name),
]


def listed(value: object) -> object:
    """What stands between the commas of an environment variable."""
    if not isinstance(value, str):
        return value
    return tuple(one.strip() for one in value.split(",") if one.strip())


class Naming(BaseSettings):
    """What is named before anything else is read."""

    model_config = SettingsConfigDict(env_prefix="GUICHET_", extra="ignore", frozen=True)

    database_prefix: str = "guichet"  # begins the names of databases and roles


Tls = Literal["starttls", "starttls-unverified", "tls", "none"]
"""How a relay is spoken to: STARTTLS with its certificate checked, STARTTLS with any certificate,
TLS from the first byte (RFC 8314), or in the clear."""


class RelayAt(BaseModel):
    """A mail relay: where it is, and how it is spoken to."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: Port = 25
    timeout_s: Annotated[float, Field(gt=0)] = 30
    """For each reply; to the text's end, which relays take their time over, ten times as much
    (RFC 5321 §4.5.3.2.6 asks for ten minutes)."""
    connections: Annotated[int, Field(ge=1)] = 4
    """Open at once from each process that delivers."""
    tls: Tls | None = None
    """None: `none` where the host is this machine and wants no sign-in, else `starttls`."""
    ca_file: Path | None = None
    """Certificates (PEM) of the authorities that may answer for the relay; none: those that this
    machine trusts."""
    user: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None

    @property
    def end_timeout_s(self) -> float:
        """For the reply to the text's end."""
        return 10 * self.timeout_s

    @property
    def tls_used(self) -> Tls:
        """How it is spoken to."""
        if self.tls is not None:
            return self.tls
        return "none" if is_loopback(self.host) and self.user is None else "starttls"

    def password_read(self) -> str:
        """What signs in, from the file where one is named. Raises OSError."""
        if self.password_file is not None:
            return self.password_file.read_text("utf-8").strip()
        return "" if self.password is None else self.password.get_secret_value()


def is_loopback(host: str) -> bool:
    """Is this name or address the machine's own?"""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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
    relay_connections: Annotated[int, Field(ge=1)] = 4
    relay_tls: Tls | None = None
    relay_ca_file: Path | None = None
    relay_user: str | None = None
    relay_password: SecretStr | None = None
    relay_password_file: Path | None = None
    relays: dict[str, RelayAt] = {}
    """Relays of single tenants by their slugs, as JSON: `{"ypok": {"host": "smtp.ypok.example"}}`.
    The others' mail goes to the relay above."""

    database_prefix: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")] = "guichet"
    postgres_bin: Path | None = None

    # The distributed way: where the parts, and what they stand on, are. `guichet up` reads none.
    rabbitmq_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)] = ()
    """The broker's nodes, `amqp://user:password@host:5672/vhost`, by commas: tried in turn."""
    postgres_url: str | None = None
    """The server of every service that has none of its own, `postgresql://host:5432`; the services
    sign in as their roles, whose passwords are made from the key folder."""
    identity_postgres_url: str | None = None
    catalog_postgres_url: str | None = None
    requests_postgres_url: str | None = None
    notifier_postgres_url: str | None = None
    postgres_admin_url: str | None = None
    """An administrator's, for `guichet migrate` alone, with user and password."""
    identity_at: Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)] = (
        "http://127.0.0.1:8101",
    )
    """Where the gateway finds a part: one address for each of its processes, by commas."""
    catalog_at: Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)] = (
        "http://127.0.0.1:8102",
    )
    requests_at: Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)] = (
        "http://127.0.0.1:8103",
    )
    notifier_at: Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)] = (
        "http://127.0.0.1:8104",
    )
    notifier_delivery_at: Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)] = (
        "http://127.0.0.1:8105",
    )
    listen_host: str = "127.0.0.1"
    listen_port: Port | None = None  # of a part; none: as the addresses above, or http_port
    metrics_port: Port | None = None  # none: no metrics are served
    leave_s: Annotated[float, Field(ge=0, le=5)] = 1
    """How long a part that was told to stop goes on accepting, while it tells whoever asks that it
    leaves: as long as a balancer takes to see it."""
    session_fresh_s: Annotated[float, Field(gt=0, le=60)] = 60
    """For how long a gateway believes what identity said of a session; where the broadcast is away,
    the longest that one that was ended elsewhere may serve."""

    traces: str | None = None
    """Where spans go: a file's path, to which they are appended as lines of JSON, or the URL of an
    OTLP endpoint (`http://collector:4318/v1/traces`); none: nowhere."""

    pseudo_locale: bool = False  # offer en_XA, which shows what is not translated, on every portal
    log_format: Literal["console", "json"] = "console"
    log_level: Level = "INFO"
    guarded_posts_a_minute: Annotated[int, Field(ge=0)] = (
        300  # unsafe requests an address may send; 0: no limit
    )

    def all_relays(self) -> dict[str, RelayAt]:
        """Every relay by the slug of its tenant; under no name, that of all other tenants."""
        usual = RelayAt(
            host=self.relay_host or "127.0.0.1",
            port=self.relay_port if self.relay_host else self.smtp_port,
            timeout_s=self.relay_timeout_s,
            connections=self.relay_connections,
            tls=self.relay_tls,
            ca_file=self.relay_ca_file,
            user=self.relay_user,
            password=self.relay_password,
            password_file=self.relay_password_file,
        )
        return {"": usual, **self.relays}

    def postgres_url_of(self, service: str) -> str | None:
        """The server that holds this service's database, in the distributed way."""
        own: str | None = getattr(self, f"{service}_postgres_url")
        return own or self.postgres_url

    def tenant_origin(self, host: str) -> str:
        """Scheme, host and, unless it is the scheme's own, port of a tenant's links."""
        port = self.public_port or self.http_port
        usual = {"http": 80, "https": 443}[self.public_scheme]
        return f"{self.public_scheme}://{host}" + ("" if port == usual else f":{port}")
