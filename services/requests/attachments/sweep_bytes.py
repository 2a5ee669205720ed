"""Letting go of bytes that are nobody's: of dropped drafts, of erased people, of crashes.

Rows go in the transactions that let go of them; bytes can't, so they follow. What was kept within
the hour is left alone: its row may be on its way.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta
from uuid import UUID

import structlog
from fastapi import FastAPI

from chassis import clock
from chassis.files import Files
from chassis.runtime import Runtime
from chassis.work import Database
from services.requests.attachments.queries import still_attached

log = structlog.get_logger()

EVERY_S = 600.0
YOUNG = timedelta(hours=1)
AT_ONCE = 500


async def sweep_bytes(database: Database, files: Files) -> int:
    """Let go of what has no row, tenant by tenant. Answers of how many files."""
    before = clock.now() - YOUNG
    await files.sweep_incoming(before)
    kept: dict[UUID, list[UUID]] = defaultdict(list)
    for file in await files.all_kept():
        if file.kept_at < before:
            kept[file.tenant].append(file.id)
    swept = 0
    for tenant, ids in kept.items():
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            async with database.begin(tenant) as work:
                attached = await still_attached(work.db, some)
            for id in set(some) - attached:
                await files.remove(tenant, id)
                swept += 1
    return swept


def install_sweep(_app: FastAPI, runtime: Runtime) -> None:
    """Sweep from time to time while the service runs."""

    async def sweep(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                swept = await sweep_bytes(runtime.database, runtime.files)
                if swept:
                    log.info("bytes_swept", files=swept)
            except Exception as error:  # the database or the disk is away: next time
                log.warning("sweep_failed", error=type(error).__name__)
            try:
                async with asyncio.timeout(EVERY_S):
                    await stopping.wait()
            except TimeoutError:
                continue

    runtime.jobs.append(sweep)
