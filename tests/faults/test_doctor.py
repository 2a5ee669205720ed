"""`guichet doctor` on installations that are really broken: it names the cause and what to do."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel
from yarl import URL

from chassis import clock
from chassis.database.migrate import with_database
from chassis.database.roles import database_name, role_name
from chassis.ids import new_id
from chassis.keys import Keys
from chassis.rabbit.topology import declare, topology_of
from chassis.settings import Settings
from guichet.doctor import assets, databases, disk
from guichet.parts import SERVICES, migrate_all
from tests.support.examined import told
from tests.support.installation import free_port
from tests.support.names import names_apart
from tests.support.process import a_guichet

TENANT = UUID(int=77)

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this to a machine")


# ── What needs no database ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that root's server can come to, unlike pytest's own."""
    place = Path("/tmp") / f"guichet-doctor-{new_id()}"
    place.mkdir(0o711)
    yield place
    shutil.rmtree(place)


def test_an_installation_that_is_yet_to_be_made_lacks_nothing(
    fresh: Settings, open_folder: Path
) -> None:
    assert told(fresh.model_copy(update={"data_dir": open_folder / "data"})) == {}
    assert not (open_folder / "data").exists(), "looking made something"


def test_a_database_of_another_user_is_named(fresh: Settings, open_folder: Path) -> None:
    data = open_folder / "data"
    (data / "postgres").mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(data / "postgres", 12345, 12345)
    else:
        data.chmod(0o000)
    try:
        said = told(fresh.model_copy(update={"data_dir": data}))["data folder"]
    finally:
        data.chmod(0o755)
    assert "another user" in said or "can't be read" in said
    assert "GUICHET_DATA_DIR" in said


@root_only
def test_a_folder_that_roots_server_cannot_enter_is_named(
    fresh: Settings, open_folder: Path
) -> None:
    closed = open_folder / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    said = told(fresh.model_copy(update={"data_dir": closed / "data"}))["data folder"]
    assert f"can't enter {closed}" in said


def test_a_full_disk_is_named(
    fresh: Settings, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        options = ["-o", "size=20m,mode=0755"]
        subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", open_folder], check=True)
    else:
        monkeypatch.setattr(disk, "SPARE_BYTES", 10**18)
    try:
        said = told(fresh.model_copy(update={"data_dir": open_folder / "data"}))["disk"]
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "--lazy", open_folder], check=True)
    assert "MB left" in said
    assert "Free some space" in said


@pytest.mark.parametrize("which", ["http_port", "smtp_port", "mailbox_port"])
def test_a_port_of_another_program_is_named(fresh: Settings, which: str) -> None:
    port = getattr(fresh, which)
    with socket.create_server(("127.0.0.1", port)):
        said = told(fresh)["ports"]
    assert f"Port {port} is used" in said
    assert f"GUICHET_{which.upper()}" in said


def test_scripts_that_were_not_brought_are_named(
    fresh: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    assert "make assets" in told(fresh)["assets"]


# ── Parts that are apart ─────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def migrated(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The databases of parts that are apart, up to date; the parts themselves are away."""
    place = tmp_path_factory.mktemp("doctor")
    keys = Keys(place / "keys")
    for part in SERVICES:
        keys.token_key(part)
    with names_apart("doctor"):
        asyncio.run(migrate_all(postgres_url, keys))
        yield Settings(data_dir=place, postgres_url=postgres_url)


def in_database(settings: Settings, service: str, *statements: str) -> None:
    """Have an administrator do this in a service's database."""

    async def do() -> None:
        url = with_database(str(settings.postgres_url), database_name(service))
        admin = await asyncpg.connect(url, timeout=10)
        try:
            for statement in statements:
                await admin.execute(statement)
        finally:
            await admin.close()

    asyncio.run(do())


def at_server(settings: Settings, statement: str) -> None:
    """Have an administrator do this to the server."""

    async def do() -> None:
        admin = await asyncpg.connect(settings.postgres_url, timeout=10)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()

    asyncio.run(do())


def test_databases_that_are_as_they_should_be_are_well(migrated: Settings) -> None:
    assert told(migrated) == {}


def test_a_server_that_is_away_is_named(migrated: Settings) -> None:
    port = free_port()
    away = migrated.model_copy(update={"catalog_postgres_url": f"postgresql://127.0.0.1:{port}"})
    said = told(away)["database"]
    assert f"does not answer for catalog on 127.0.0.1:{port}" in said
    assert "GUICHET_POSTGRES_URL" in said


def test_a_password_that_is_another_is_named(migrated: Settings, tmp_path: Path) -> None:
    assert migrated.data_dir is not None
    shutil.copytree(migrated.data_dir, tmp_path / "data")
    (tmp_path / "data/keys/postgres.secret").write_bytes(b"another" * 5)
    said = told(migrated.model_copy(update={"data_dir": tmp_path / "data"}))["database"]
    assert "another password" in said
    assert "guichet migrate" in said


def test_a_role_that_is_missing_is_named(migrated: Settings) -> None:
    role = role_name("requests", "search")
    at_server(migrated, f"ALTER ROLE {role} RENAME TO {role}_gone")
    try:
        assert f"The role {role} is missing" in told(migrated)["database"]
    finally:
        at_server(migrated, f"ALTER ROLE {role}_gone RENAME TO {role}")


def test_a_database_that_is_missing_is_named(migrated: Settings) -> None:
    name = database_name("catalog")
    at_server(migrated, f"ALTER DATABASE {name} RENAME TO {name}_gone")
    try:
        assert f"The database {name} is not on" in told(migrated)["database"]
    finally:
        at_server(migrated, f"ALTER DATABASE {name}_gone RENAME TO {name}")


def test_a_database_that_is_not_migrated_is_named(migrated: Settings) -> None:
    in_database(migrated, "catalog", "ALTER TABLE operator_acts RENAME COLUMN act TO was")
    try:
        said = told(migrated)["database"]
    finally:
        in_database(migrated, "catalog", "ALTER TABLE operator_acts RENAME COLUMN was TO act")
    assert "lacks operator_acts.act." in said
    assert "guichet migrate" in said


def test_a_server_that_is_too_old_is_named(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "OLDEST", 990_000)
    assert "which is too old" in told(migrated)["database"]


@pytest.mark.parametrize(("ahead_s", "word"), [(90, "ahead of"), (-90, "behind")])
def test_a_clock_that_is_off_is_named(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch, ahead_s: int, word: str
) -> None:
    true = clock.now
    monkeypatch.setattr(clock, "now", lambda: true() + timedelta(seconds=ahead_s))
    said = told(migrated)["clock"]
    assert word in said
    assert "NTP" in said


def test_dead_events_are_named(migrated: Settings) -> None:
    in_database(
        migrated,
        "requests",
        f"""INSERT INTO inbox (tenant_id, id, handler, state, due_at, stored_at, concerned, error,
                envelope)
            VALUES ('{TENANT}', '{new_id()}', 'project_requester', 'dead', now(), now(), '{{}}',
                'builtins.KeyError at apply:12', '{{}}')""",
    )
    try:
        said = told(migrated)["dead events"]
    finally:
        in_database(migrated, "requests", "DELETE FROM inbox")
    assert "1 of requests's events are dead; the first for project_requester" in said
    assert "guichet events dead --service requests" in said


def test_an_outbox_that_does_not_drain_is_named(migrated: Settings) -> None:
    in_database(
        migrated,
        "identity",
        f"""INSERT INTO outbox (tenant_id, id, concerned, envelope)
            VALUES ('{TENANT}', '{new_id()}', '{{}}',
                jsonb_build_object('time', now() - interval '10 minutes'))""",
    )
    try:
        said = told(migrated)["outbox"]
    finally:
        in_database(migrated, "identity", "DELETE FROM outbox")
    assert re.search(r"identity's outbox does not drain: 1 wait, the first for 6\d\d s", said)
    assert "broker" in said


def test_an_inbox_that_does_not_drain_is_named(migrated: Settings) -> None:
    in_database(
        migrated,
        "catalog",
        f"""INSERT INTO inbox (tenant_id, id, handler, state, due_at, stored_at, concerned,
                envelope)
            VALUES ('{TENANT}', '{new_id()}', 'project_tenant', 'ready',
                now() - interval '10 minutes', now() - interval '10 minutes', '{{}}', '{{}}')""",
    )
    try:
        assert "catalog's inbox does not drain: 1 wait" in told(migrated)["inbox"]
    finally:
        in_database(migrated, "catalog", "DELETE FROM inbox")


@pytest.mark.parametrize("state", ["active", "suspended"])
def test_mails_that_wait_are_named_but_for_those_that_are_held(
    migrated: Settings, state: str
) -> None:
    in_database(
        migrated,
        "notifier",
        f"""INSERT INTO tenant_projections (tenant_id, state, facts)
            VALUES ('{TENANT}', '{state}', '{{}}')""",
        f"""INSERT INTO mails (tenant_id, id, event_id, template, facts, address, language,
                concerned, requested_at, drop_after, state, due_at, attempts)
            VALUES ('{TENANT}', '{new_id()}', '{new_id()}', 'activation', '{{}}', 'a@b.example',
                'fr', '{{}}', now(), now() + interval '1 day', 'queued',
                now() - interval '20 minutes', 0)""",
    )
    try:
        said = told(migrated)
    finally:
        in_database(migrated, "notifier", "DELETE FROM mails", "DELETE FROM tenant_projections")
    if state == "active":
        assert re.search(r"not sent: 1 wait, the first for 1[23]\d\d s", said["mail"])
    else:
        assert said == {}


@pytest.mark.parametrize("name", ["identity.hmac", "postgres.secret"])
def test_a_key_that_is_missing_is_named(migrated: Settings, tmp_path: Path, name: str) -> None:
    assert migrated.data_dir is not None
    shutil.copytree(migrated.data_dir, tmp_path / "data")
    (tmp_path / "data/keys" / name).unlink()
    said = told(migrated.model_copy(update={"data_dir": tmp_path / "data"}))["keys"]
    assert f"{name} is missing" in said
    if name == "identity.hmac":
        assert not (tmp_path / "data/keys" / name).exists(), "looking made another"


def test_a_key_that_others_can_read_is_named(migrated: Settings, tmp_path: Path) -> None:
    assert migrated.data_dir is not None
    shutil.copytree(migrated.data_dir, tmp_path / "data")
    (tmp_path / "data/keys/catalog.hmac").chmod(0o644)
    said = told(migrated.model_copy(update={"data_dir": tmp_path / "data"}))["keys"]
    assert "catalog.hmac can be read by others" in said
    assert "chmod 600" in said


# ── The broker ───────────────────────────────────────────────────────────────────────────────────


def with_broker(settings: Settings, url: str) -> Settings:
    """These settings, with names at the broker that are the test's own."""
    return settings.model_copy(
        update={"rabbitmq_urls": (url,), "database_prefix": f"doctor_{os.getpid()}"}
    )


def declared(
    settings: Settings, then: Callable[[aio_pika.abc.AbstractChannel], Awaitable[object]]
) -> None:
    """Have the broker hold all that parts declare, then do something to it."""

    async def do() -> None:
        async with await aio_pika.connect(settings.rabbitmq_urls[0]) as connection:
            channel = await connection.channel()
            await declare(channel, topology_of(SERVICES.values(), settings.database_prefix))
            await then(channel)

    asyncio.run(do())


def test_a_broker_that_is_away_is_named(migrated: Settings) -> None:
    port = free_port()
    said = told(with_broker(migrated, f"amqp://guest:guest@127.0.0.1:{port}/"))["broker"]
    assert f"The broker 127.0.0.1:{port} does not answer" in said
    assert "GUICHET_RABBITMQ_URLS" in said


def test_a_broker_that_refuses_the_password_is_named(migrated: Settings, rabbitmq_url: str) -> None:
    wrong = str(URL(rabbitmq_url).with_password("wrong"))
    assert "refuses the user or password" in told(with_broker(migrated, wrong))["broker"]


def test_a_queue_that_was_deleted_is_named(migrated: Settings, rabbitmq_url: str) -> None:
    settings = with_broker(migrated, rabbitmq_url)
    queue = topology_of(SERVICES.values(), settings.database_prefix).queue_of("requests")

    async def nothing(_channel: AbstractChannel) -> None:
        pass

    declared(settings, nothing)
    assert "broker" not in told(settings)
    declared(settings, lambda channel: channel.queue_delete(queue))
    assert f"The queue {queue} is missing" in told(settings)["broker"]


# ── Embedded ─────────────────────────────────────────────────────────────────────────────────────


def test_one_that_runs_is_well_and_another_on_its_data_is_named() -> None:
    with a_guichet() as guichet:
        guichet.run()
        well = guichet.command("doctor")
        assert (well.returncode, well.stdout) == (0, "All is well.\n"), well.stdout + well.stderr
        elsewhere = guichet.command("doctor", http_port=free_port())
        assert elsewhere.returncode == 1
        assert f"Process {guichet.pid} has the data" in elsewhere.stdout
        assert "GUICHET_DATA_DIR" in elsewhere.stdout
        guichet.stop()
        alone = guichet.command("doctor")
        assert (alone.returncode, alone.stdout) == (0, "All is well.\n"), (
            alone.stdout + alone.stderr
        )
        assert guichet.servers() == []
