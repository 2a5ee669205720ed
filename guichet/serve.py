"""`guichet serve PART`: one part in a process of its own, in front, until it is told to stop.

It starts, and serves what it can, whatever else is away: its database, the broker, the other parts;
`/readyz` says what it lacks. Told to stop, it ends within ten seconds and in the order that loses
nothing: it says that it leaves, accepts no more, finishes requests, then consumer, publisher,
workers and delivery, then the pools.
"""

import asyncio
import contextlib
import dataclasses
import signal
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp

from chassis import logs
from chassis.app import build_app
from chassis.files import FolderFiles
from chassis.front import Front
from chassis.keys import Keys
from chassis.metrics_port import serving_metrics
from chassis.outbox import send_all_again
from chassis.rabbit.bus import RabbitBus
from chassis.rabbit.consuming import Consumer
from chassis.rabbit.listening import Listener
from chassis.rabbit.topology import Topology, topology_of
from chassis.runtime import Runtime
from chassis.settings import Settings
from gateway.app import Gateway
from gateway.by_http import ByHttp
from guichet.mailbox import PortInUse
from guichet.parts import DELIVERY, GATEWAY, PORTS, SERVICES
from guichet.passwords import database_of
from guichet.postgres import CannotStart
from guichet.serving import (
    STOPPED_BY,
    end_at_once,
    listen,
    run_until_done,
    server_of,
    start_tracing,
)
from guichet.up import data_dir_of, say
from services.notifier.delivery.part import hear_of_mails, install_delivery, tell_delivery

log = structlog.get_logger()

REQUESTS_END_WITHIN_S = 5
JOBS_END_WITHIN_S = 1.5
RUNTIME_ENDS_WITHIN_S = 1.5
"""With the second in which it leaves, and the ends of connections: ten, after which whoever stops
us may lose patience."""


def serve(part: str, settings: Settings) -> int:
    """Run until a signal or a failure. Answers the exit status; refusals are told in a sentence."""
    for number in STOPPED_BY:  # until the loop has them
        signal.signal(number, end_at_once)
    logs.configure(settings.log_format, settings.log_level)
    try:
        start_tracing(settings, part)
        served = _Gateway(settings) if part == GATEWAY else _Service(part, settings)
        with contextlib.ExitStack() as sockets:
            listener = sockets.enter_context(
                listen(settings.listen_host, port_of(part, settings), "GUICHET_LISTEN_PORT")
            )
            measured = None
            if settings.metrics_port is not None:
                measured = sockets.enter_context(
                    listen(settings.listen_host, settings.metrics_port, "GUICHET_METRICS_PORT")
                )
            return run_until_done(_serve(part, served, settings, listener, measured))
    except (CannotStart, PortInUse) as refusal:
        say(f"{part} can't start. {refusal}")
        return 1


def port_of(part: str, settings: Settings) -> int:
    """Where the part listens."""
    if settings.listen_port is not None:
        return settings.listen_port
    return settings.http_port if part == GATEWAY else PORTS[part]


class Served(Protocol):
    """A part, assembled: what it answers with, and what else runs meanwhile."""

    app: ASGIApp
    runtimes: Sequence[Runtime]

    def start(self, stopping: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
        """Start its own; answers what is to run until `stopping` is set."""

    async def stop(self) -> None:
        """Finish what is under way, bounded, and let go of all."""


class _Gateway:
    """The gateway: its caches listen, and parts are reached by HTTP."""

    def __init__(self, settings: Settings) -> None:
        keys = Keys(data_dir_of(settings) / "keys")
        self._upstream = ByHttp(
            {
                "identity": settings.identity_at,
                "catalog": settings.catalog_at,
                "requests": settings.requests_at,
                "notifier": settings.notifier_at,
                DELIVERY: settings.notifier_delivery_at,
            }
        )
        self._gateway = Gateway(settings, keys, self._upstream, pageless=(DELIVERY,))
        broadcasts = self._gateway.broadcasts()
        self._listener = Listener(_broker(settings), _topology(settings), broadcasts, GATEWAY)
        for one in broadcasts:
            if one.lost is not None:
                one.lost()  # nothing is heard until the listener says so
        self._gateway.health["broadcast"] = lambda: _away(self._listener.is_up)
        self.app: ASGIApp = self._gateway
        self.runtimes: Sequence[Runtime] = ()

    def start(self, stopping: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
        gateway = self._gateway
        return [
            self._listener.run(stopping),
            gateway.tenants.keep_loaded(gateway.load, stopping),
        ]

    async def stop(self) -> None:
        await self._upstream.close()


class _Service:
    """A service, or the delivery of the notifier's mails: the same database, without an inbox."""

    def __init__(self, part: str, settings: Settings) -> None:
        urls, topology = _broker(settings), _topology(settings)
        delivers = part == DELIVERY
        service = SERVICES["notifier" if delivers else part]
        server = settings.postgres_url_of(service.name)
        if server is None:
            raise CannotStart(
                f"Nothing says where {service.name}'s database is: set GUICHET_POSTGRES_URL, or"
                f" GUICHET_{service.name.upper()}_POSTGRES_URL, to postgresql://host:port."
            )
        if delivers:
            service = dataclasses.replace(service, routers=(), extend=())
        data_dir = data_dir_of(settings)
        keys = Keys(data_dir / "keys")
        self._bus = RabbitBus(urls, topology, f"{part} publisher")
        runtime = Runtime(
            service,
            settings,
            database_of(keys, server, service.name),
            keys,
            self._bus,
            workers=0 if delivers else 1,
            files=FolderFiles(settings.files_dir or data_dir / "attachments"),
        )
        self.app: ASGIApp = build_app(runtime)
        if delivers:
            hear_of_mails(runtime, install_delivery(runtime))
        elif service.name == "notifier":
            tell_delivery(runtime)
        self._runtime = runtime
        self.runtimes: Sequence[Runtime] = (runtime,)
        self._listener = Listener(urls, topology, runtime.broadcasts, f"{part} listener")
        runtime.health["broker"] = lambda: _away(self._bus.is_up)
        runtime.health["broadcast"] = lambda: _away(self._listener.is_up)
        self._consumer: Consumer | None = None
        if not delivers:
            consumer = Consumer(
                urls, topology, service.name, runtime.inbox, queue_made=self._send_again
            )
            runtime.health["inbox"] = lambda: _away(consumer.is_up)
            self._consumer = consumer

    def start(self, stopping: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
        self._runtime.start()
        jobs = [self._listener.run(stopping)]
        if self._consumer is not None:
            jobs.append(self._consumer.run(stopping))
        return jobs

    async def _send_again(self) -> None:
        """A queue was gone, with what it held: nobody knows what that was."""
        count = await send_all_again(self._runtime.database)
        log.warning("outbox_sent_again", service=self._runtime.service.name, count=count)
        self._runtime.publisher.wake()

    async def stop(self) -> None:
        await self._runtime.stop(RUNTIME_ENDS_WITHIN_S)
        await self._bus.close()


def _broker(settings: Settings) -> tuple[str, ...]:
    if not settings.rabbitmq_urls:
        raise CannotStart(
            "Nothing says where the broker is: set GUICHET_RABBITMQ_URLS to"
            " amqp://user:password@host:5672/, its nodes by commas."
        )
    return settings.rabbitmq_urls


def _topology(settings: Settings) -> Topology:
    return topology_of(SERVICES.values(), settings.database_prefix)


def _away(is_up: bool) -> str | None:
    return None if is_up else "away"


async def _serve(
    part: str,
    served: Served,
    settings: Settings,
    listener: socket.socket,
    measured: socket.socket | None,
) -> int:
    loop = asyncio.get_running_loop()
    told_to_stop, stopping = asyncio.Event(), asyncio.Event()
    for number in STOPPED_BY:
        loop.add_signal_handler(number, told_to_stop.set)
    front = Front(served.app)
    server = server_of(
        front,
        requests_end_within_s=REQUESTS_END_WITHIN_S,
        behind_gateway=part != GATEWAY,
    )
    async with contextlib.AsyncExitStack() as stack:
        if measured is not None:
            await stack.enter_async_context(serving_metrics(measured, served.runtimes))
        jobs = [asyncio.create_task(job) for job in served.start(stopping)]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        told = asyncio.create_task(told_to_stop.wait())
        log.info("part_serves", part=part, port=listener.getsockname()[1])
        await asyncio.wait({told, serving, *jobs}, return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in (serving, *jobs) if task.done()]
        for task in failed:
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            log.error("part_ended", part=part, error=type(error).__name__ if error else "")
        log.info("part_leaves", part=part)
        for number in STOPPED_BY:
            loop.add_signal_handler(number, end_at_once)
        front.leaving = True
        if not failed:
            await asyncio.sleep(settings.leave_s)
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        stopping.set()
        told.cancel()
        await _end(jobs, JOBS_END_WITHIN_S)
        await served.stop()
        await asyncio.gather(*jobs, return_exceptions=True)
    log.info("part_stopped", part=part)
    return 1 if failed else 0


async def _end(jobs: Sequence[asyncio.Task[None]], within_s: float) -> None:
    """Wait for these, and cancel who is late: that one's end may hang on what is stopped next."""
    _, late = await asyncio.wait(jobs, timeout=within_s)
    for task in late:
        log.warning("stopped_hard", task=task.get_name())
        task.cancel()
