"""A service in a process: its database, keys, publisher and inbox workers, started and stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from chassis.bus import Bus
from chassis.depths import Depth
from chassis.files import Files
from chassis.going_on import going_on
from chassis.inbox.handling import Handling
from chassis.inbox.postgres import PostgresInbox
from chassis.inbox.store import InboxStore
from chassis.inbox.worker import Patience, Worker
from chassis.keys import Keys
from chassis.outbox import PostgresOutbox
from chassis.publisher import Publisher
from chassis.service import Service
from chassis.settings import Settings
from chassis.subscriptions import Broadcast
from chassis.tenants import TenantCache
from chassis.work import Database

log = structlog.get_logger()

STOP_TIMEOUT_S = 10.0


class Runtime:
    """What a running service holds. Routes reach it as `http.app.state.runtime`."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        database: Database,
        keys: Keys,
        bus: Bus,
        *,
        workers: int = 1,
        patience: Patience | None = None,
        files: Files | None = None,
    ) -> None:
        self.service = service
        self.settings = settings
        self.database = database
        self.keys = keys
        self._files = files
        self.tenants = TenantCache(database)
        self.depth = Depth(database)
        self.token_key = keys.token_key(service.name)
        self.broadcasts: list[Broadcast] = [self.tenants.broadcasts()]
        self.jobs: list[Callable[[asyncio.Event], Awaitable[None]]] = []
        """What else runs while the service does, such as delivery: each until the event is set."""
        self.after_handled: list[Callable[[], None]] = []
        """Called after each commit of handled events: what their effects wake, such as delivery."""
        self.health: dict[str, Callable[[], str | None]] = {}
        """By name what the service stands on beside its database: each answers None when well, else
        the cause in a word. `/readyz` names them; pages are served all the same."""
        self.stopping = asyncio.Event()
        database.timers.update({one.timer: one.name for one in service.timers})
        handling = Handling(service.name, tuple(service.subscriptions), tuple(service.timers))
        self.publisher = Publisher(PostgresOutbox(database), bus)
        self.workers = [
            Worker(
                PostgresInbox(database),
                handling,
                patience=patience,
                after_emit=self.publisher.wake,
                after_handled=self._handled,
            )
            for _ in range(workers)
        ]
        self.inbox = InboxStore(database.mover, service.subscriptions, self.wake_workers)
        database.after_emit = self.publisher.wake
        database.after_timer = self.wake_workers
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def files(self) -> Files:
        """Where the bytes of what people hand in stand."""
        if self._files is None:
            raise LookupError(f"{self.service.name} was given no place for files")
        return self._files

    def wake_workers(self) -> None:
        """Something came to the inbox."""
        for worker in self.workers:
            worker.wake()

    def _handled(self) -> None:
        for wake in self.after_handled:
            wake()

    def start(self) -> None:
        """Start publisher, workers and jobs in the running loop."""
        running: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("publisher", self.publisher.run),
            *(("worker", worker.run) for worker in self.workers),
            *(("job", partial(job, self.stopping)) for job in self.jobs),
        ]
        self._tasks = [
            asyncio.create_task(going_on(f"{self.service.name} {what}", run, self.stopping))
            for what, run in running
        ]

    async def stop(self, within_s: float = STOP_TIMEOUT_S) -> None:
        """Let each finish what it holds, bounded, then close the pools.

        Whoever is late may wait for a server that says nothing, and would undo its work there.
        """
        self.stopping.set()
        self.publisher.stop()
        for worker in self.workers:
            worker.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_s)
            for task in late:
                log.warning("stopped_hard", service=self.service.name, task=task.get_name())
                task.cancel()
            if late:
                self.database.cut_off()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.database.close()
