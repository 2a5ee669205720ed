"""The metrics: as Prometheus wants them, scraped by it, bounded, and cheap over deep queues."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from chassis import clock
from chassis.depths import BOUND, INBOX, MOST, OUTBOX, SOON, TENANTS, WITHIN_S
from chassis.metrics_port import metrics_app, serving_metrics
from services.notifier.delivery.counting import WAITING
from tests.service.conftest import Town
from tests.support.apart import Apart, services_apart
from tests.support.installation import Running
from tests.support.prometheus import a_prometheus, complaints

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[A-Za-z0-9_-]{40,}|@")
DEEP = 60_000  # rows, enough that no planner would read them all for a few


async def told(whole: Running) -> bytes:
    """What the metrics' port of the whole installation answers."""
    app = metrics_app(list(whole.installation.runtimes.values()))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
        return (await client.get("/metrics")).raise_for_status().content


def samples(metrics: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """By name and labels, each sample."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.decode())
        for sample in family.samples
    }


async def test_promtool_finds_nothing_to_complain_of(whole: Running, town: Town) -> None:
    assert complaints(await told(whole)) == ""


async def test_a_call_is_counted_by_its_routes_template(whole: Running, town: Town) -> None:
    async with whole.visitor() as visitor:
        before = samples(await told(whole))
        await visitor.get("/procedures/anomalie-logiciel-ypolice")
        await visitor.get("/requests/no-such-thing/at/all?link=secret")
        after = samples(await told(whole))
    grown = {key for key in after if after[key] > before.get(key, 0.0) and "requests" in key[0]}
    routes = {dict(labels).get("route") for name, labels in grown if name.endswith("_total")}
    assert {"/procedures/{slug}", "none", "/procedures", "/requests"} <= routes


async def test_no_label_holds_an_id_a_token_or_an_address(whole: Running, town: Town) -> None:
    for name, labels in samples(await told(whole)):
        for label, value in labels:
            assert not ID.search(value), f"{name} tells {label}={value}"


async def test_every_service_tells_what_waits_in_it(whole: Running, town: Town) -> None:
    await whole.settled()
    found = samples(await told(whole))
    for service in whole.installation.runtimes:
        assert found["guichet_database_up", (("service", service),)] == 1
        assert ("guichet_outbox_events", (("service", service),)) in found
        for state in ("ready", "retrying", "awaiting", "dead"):
            assert ("guichet_inbox_events", (("service", service), ("state", state))) in found
    assert ("guichet_queue_items", (("queue", "mail"), ("service", "notifier"))) in found


async def test_prometheus_scrapes_what_runs(whole: Running, town: Town, tmp_path: Path) -> None:
    runtimes = list(whole.installation.runtimes.values())
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with (
        serving_metrics(listener, runtimes),
        a_prometheus(tmp_path / "prometheus", {"guichet": port}) as prometheus,
    ):
        await prometheus.until_up("guichet")
        async with asyncio.timeout(30):
            while len(await prometheus.value("guichet_database_up == 1")) < len(runtimes):  # noqa: ASYNC110  # what it scraped is asked of it
                await asyncio.sleep(0.1)
        handled = await prometheus.value('sum(guichet_handler_runs_total{outcome="ok"})')
        assert sum(handled.values()) > 0


@pytest.fixture(scope="module")
async def deep(postgres_url: str, worker_folder: Path) -> AsyncIterator[Apart]:
    """Services whose queues hold more than anybody would read through, of many tenants."""
    async with services_apart(postgres_url, worker_folder, "deep") as services:
        async with _admin(services, "notifier") as admin:
            await admin.execute(f"""
                INSERT INTO outbox (tenant_id, id, concerned, envelope)
                SELECT md5((n % 500)::text)::uuid, gen_random_uuid(), '{{}}',
                    jsonb_build_object('time', now() - interval '1 hour', 'more', repeat('x', 400))
                FROM generate_series(1, {DEEP}) AS n;
                INSERT INTO inbox (tenant_id, id, handler, state, due_at, stored_at, concerned,
                    attempts, envelope)
                SELECT md5((n % 500)::text)::uuid, gen_random_uuid(), 'any',
                    (ARRAY['ready', 'later', 'awaiting', 'dead'])[1 + n % 4],
                    now() - interval '1 hour' + n * interval '1 second', now() - interval '2 hours',
                    '{{}}', n % 3, jsonb_build_object('more', repeat('x', 400))
                FROM generate_series(1, {DEEP}) AS n;
                ANALYZE outbox; ANALYZE inbox
            """)
        yield services


@asynccontextmanager
async def _admin(services: Apart, service: str) -> AsyncIterator[asyncpg.Connection]:
    admin = await asyncpg.connect(services.urls[service], timeout=10)
    try:
        yield admin
    finally:
        await admin.close()


@pytest.mark.parametrize("question", [OUTBOX, INBOX, WAITING], ids=["outbox", "inbox", "mail"])
async def test_a_deep_queue_is_looked_at_by_its_indexes(deep: Apart, question: object) -> None:
    asked = {"most": MOST, "tenants": TENANTS, "soon": clock.now() + SOON}
    async with deep.runtimes["notifier"].database.mover.begin() as connection:
        await connection.execute(BOUND)
        plan = await connection.execute(text(f"EXPLAIN (ANALYZE) {question}"), asked)
        lines = "\n".join(plan.scalars())
    assert not re.search(r"Seq Scan on (outbox|inbox|mails)", lines), lines
    took = re.search(r"Execution Time: ([0-9.]+) ms", lines)
    assert took is not None
    assert float(took[1]) < WITHIN_S * 1000, lines


async def test_a_deep_queue_is_told_with_its_age(deep: Apart) -> None:
    depths = await deep.runtimes["notifier"].depth.look()
    assert depths.outbox.size == DEEP
    assert 3500 < depths.outbox.age_s(depths.looked_at) < 4200
    assert depths.inbox.size == DEEP // 4
    assert depths.dead == DEEP // 4
    assert depths.retrying > 0
    assert depths.awaiting > 0
    assert 3500 < depths.inbox.age_s(depths.looked_at) < 4200
