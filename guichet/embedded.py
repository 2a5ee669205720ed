"""The embedded way: gateway and services in one process and one event loop.

The same parts as apart: events go from outbox to inbox in the database, HTTP calls from the gateway
to a service as ASGI calls. This module assembles and starts them; `guichet.up` runs the whole.
"""

import asyncio
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import text

from chassis.app import build_app
from chassis.bus import EmbeddedBus
from chassis.files import FolderFiles
from chassis.inbox.worker import Patience
from chassis.keys import Keys
from chassis.runtime import Runtime
from chassis.settings import Settings
from chassis.work import Database
from gateway.app import Gateway
from gateway.upstream import InProcess
from guichet.parts import SERVICES
from guichet.passwords import database_of
from services.notifier.delivery.claim import free_all_leases
from services.notifier.delivery.part import install_delivery


class Installation:
    """All parts, assembled; `start` before serving `gateway`, `stop` after."""

    def __init__(
        self,
        settings: Settings,
        keys_folder: Path,
        server_url: str,
        *,
        patience: Patience | None = None,
    ) -> None:
        self.settings = settings
        self.keys = Keys(keys_folder)
        self.bus = EmbeddedBus()
        self.files = FolderFiles(settings.files_dir or keys_folder.parent / "attachments")
        self.runtimes: dict[str, Runtime] = {}
        self.apps: dict[str, FastAPI] = {}
        for name, service in SERVICES.items():
            runtime = Runtime(
                service,
                settings,
                database_of(self.keys, server_url, name),
                self.keys,
                self.bus,
                patience=patience,
                files=self.files,
            )
            self.runtimes[name] = runtime
            self.apps[name] = build_app(runtime)
        install_delivery(self.runtimes["notifier"])
        self.gateway = Gateway(settings, self.keys, InProcess(self.apps))

    @property
    def databases(self) -> dict[str, Database]:
        """The services' databases, by service."""
        return {name: runtime.database for name, runtime in self.runtimes.items()}

    def connect(self) -> None:
        """Join the parts by the bus; caches listen from here on."""
        for runtime in self.runtimes.values():
            self.bus.subscribe(runtime.inbox)
            for one in runtime.broadcasts:
                self.bus.listen(one)
        for one in self.gateway.broadcasts():
            self.bus.listen(one)

    async def start(self) -> None:
        """Listen, load what the caches need, then start publishers, workers and delivery."""
        self.connect()
        await self.gateway.load()
        # Whoever delivered before is gone: what it was sending need not wait for its leases' end.
        await free_all_leases(self.runtimes["notifier"].database.mover)
        for runtime in self.runtimes.values():
            runtime.start()

    async def stop(self) -> None:
        """Stop every part at once, each bounded, then close the pools."""
        await asyncio.gather(*(runtime.stop() for runtime in self.runtimes.values()))

    async def settled(self, *, within_s: float) -> bool:
        """Wait until every event has been handled, for so long at most. Did that come about?

        The databases are asked one after the other, and an event may go from one to another in
        between: so all must be idle twice in a row.
        """
        idle = 0
        try:
            async with asyncio.timeout(within_s):
                while idle < 2:
                    busy = [await self._busy(runtime) for runtime in self.runtimes.values()]
                    idle = 0 if any(busy) else idle + 1
                    if idle == 0:
                        await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    async def _busy(self, runtime: Runtime) -> bool:
        async with runtime.database.mover.connect() as connection:
            found = await connection.execute(
                text("""
                    SELECT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)
                        OR EXISTS (SELECT FROM inbox WHERE state = 'ready')
                """)
            )
            return bool(found.scalar_one())
