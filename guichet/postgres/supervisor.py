"""Keeping the embedded server up while `guichet up` runs."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing

from guichet.postgres.launcher import PostgresServer, restarting
from guichet.postgres.problems import CannotStart

DEATHS_BORNE = 5
WITHIN_S = 60.0
PAUSE_S = 0.5


class Supervisor:
    """Starts the server again, on the same port, whenever it dies.

    `run` goes on until it is cancelled, which comes before `stop(supervisor.server)`.
    """

    def __init__(self, server: PostgresServer, *, say: Callable[[str], None]) -> None:
        self.server = server
        self._say = say
        self._deaths: deque[float] = deque(maxlen=DEATHS_BORNE)

    async def run(self) -> None:
        """Watch and restart. Raises CannotStart where that fails or serves nothing. Runs in the
        main thread's loop, which goes on meanwhile.
        """
        while True:
            await _end_of(self.server.pid)
            if self._has_died_too_often():
                raise CannotStart(
                    f"The database ended {DEATHS_BORNE} times within a minute: see postgres.log in"
                    f" {self.server.data_dir}, then start again."
                )
            self._say("The database ended by itself: starting it again.")
            await self._restart()

    async def _restart(self) -> None:
        """Start it again. One that dies before it is ready has died once more."""
        while True:
            try:
                await self._try()
                return
            except CannotStart:
                if self._has_died_too_often():
                    raise
            await asyncio.sleep(PAUSE_S)

    async def _try(self) -> None:
        steps = restarting(self.server, say=self._say)
        with closing(steps):
            for pause_s in iter(lambda: self._step(steps), None):
                await asyncio.sleep(pause_s)

    def _step(self, steps: Generator[float, None, PostgresServer]) -> float | None:
        try:
            return next(steps)
        except StopIteration as end:
            self.server = end.value
            return None

    def _has_died_too_often(self) -> bool:
        """Note a death. Were there so many within so short a time?"""
        now = time.monotonic()
        self._deaths.append(now)
        return len(self._deaths) == DEATHS_BORNE and now - self._deaths[0] < WITHIN_S


async def _end_of(pid: int) -> None:
    """Wait until this child of ours has ended."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:  # and somebody has waited for it
        return
    try:
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
