"""Delivery as processes: one that has read all the code, and forks a worker for each line it reads.

    python -m tests.support.delivery_workers POSTGRES_URL KEYS_FOLDER RELAY_PORT LEASE_S

A worker is forked, so that it delivers a few milliseconds after it was asked for; its pid is
printed. It ends on SIGTERM, once its mails are marked, or when the process that it came from ends.
"""

import asyncio
import contextlib
import os
import resource
import signal
import sys
from datetime import timedelta
from pathlib import Path

from chassis import logs
from chassis.bus import EmbeddedBus
from chassis.keys import Keys
from chassis.runtime import Runtime
from chassis.settings import Settings
from guichet.passwords import database_of
from services.notifier.delivery import deliver
from services.notifier.delivery.part import install_delivery
from services.notifier.service import service


async def work(url: str, folder: str, port: int, lease_s: float, parent: int) -> None:
    """Deliver until asked to stop."""
    deliver.LEASE = timedelta(seconds=lease_s)
    deliver.Deliverer.RENEW_S = lease_s / 3
    keys = Keys(Path(folder))
    settings = Settings(relay_host="127.0.0.1", relay_port=port, log_level="ERROR")
    logs.configure(settings.log_format, settings.log_level)
    database = database_of(keys, url, "notifier")
    runtime = Runtime(service, settings, database, keys, EmbeddedBus(), workers=0)
    install_delivery(runtime)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    jobs = [asyncio.ensure_future(job(stopping)) for job in runtime.jobs]
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await stopping.wait()
        if os.getppid() != parent:
            stopping.set()
    await asyncio.gather(*jobs)
    await database.close()


def main() -> None:
    """Fork for each line; whoever closes the standard input ends it all."""
    url, folder, port, lease_s = sys.argv[1:]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    parent = os.getpid()
    print("ready", flush=True)  # noqa: T201  # whoever started it reads this
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(work(url, folder, int(port), float(lease_s), parent))
            used = resource.getrusage(resource.RUSAGE_SELF)
            sys.stderr.write(f"cpu {used.ru_utime + used.ru_stime:.3f}\n")
            sys.stderr.flush()
            os._exit(0)
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
