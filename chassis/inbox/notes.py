"""Notes: what a worker is about to run, so that what ended it uncleanly is known afterwards.

Each worker holds an advisory lock for as long as it lives; a note whose lock is free was left
behind. What it names runs singly from then on, and a row that ended two workers while it ran
alone is dead (docs/decisions/0006).
"""

import json
import secrets
from collections.abc import Sequence

import asyncpg

from chassis.inbox.claim import Claimed

KILLS_BOUND = 2

BLAME = """
    UPDATE inbox SET singly = true, kills = kills + $2,
        state = CASE WHEN kills + $2 >= $3 THEN 'dead' ELSE state END,
        error = CASE WHEN kills + $2 >= $3 THEN 'ended its worker twice' ELSE error END
    FROM jsonb_array_elements($1::jsonb) AS named
    WHERE tenant_id = (named->>0)::uuid AND id = (named->>1)::uuid AND handler = named->>2
"""


class Notes:
    """One worker's notes, on a connection of their own."""

    def __init__(self, mover_url: str, application: str) -> None:
        self._url = mover_url
        self._application = application
        self._connection: asyncpg.Connection | None = None
        self._worker = 0
        self._clear = True

    async def open(self) -> None:
        """Connect and take this worker's lock, unless that still stands."""
        if self._connection is not None and not self._connection.is_closed():
            return
        self._connection = await asyncpg.connect(
            self._url,
            timeout=5,
            command_timeout=10,
            server_settings={
                "application_name": self._application,
                "synchronous_commit": "off",  # a note lost with the server blames nobody
            },
        )
        self._worker = secrets.randbits(62)
        await self._connection.execute("SELECT pg_advisory_lock($1)", self._worker)
        self._clear = True

    async def write(self, rows: Sequence[Claimed], *, alone: bool) -> None:
        """Note what is about to run."""
        await self.open()
        await self._write([[str(one) for one in row.key] for row in rows], alone)
        self._clear = False

    async def clear(self) -> None:
        """Nothing runs."""
        if not self._clear:
            await self._write([], False)
            self._clear = True

    async def blame_the_left_behind(self) -> int:
        """Act on the notes of workers that are no more. Answers how many there were."""
        await self.open()
        assert self._connection is not None
        blamed = 0
        for note in await self._connection.fetch("SELECT worker, alone, running FROM inbox_notes"):
            if note["worker"] == self._worker:
                continue
            if not await self._connection.fetchval(
                "SELECT pg_try_advisory_lock($1)", note["worker"]
            ):
                continue
            try:
                async with self._connection.transaction():
                    await self._connection.execute(
                        BLAME, note["running"], int(note["alone"]), KILLS_BOUND
                    )
                    await self._connection.execute(
                        "DELETE FROM inbox_notes WHERE worker = $1", note["worker"]
                    )
                blamed += note["running"] != "[]"
            finally:
                await self._connection.execute("SELECT pg_advisory_unlock($1)", note["worker"])
        return blamed

    async def close(self) -> None:
        """Take the note away and let the lock go."""
        if self._connection is None or self._connection.is_closed():
            return
        await self._connection.execute("DELETE FROM inbox_notes WHERE worker = $1", self._worker)
        await self._connection.close(timeout=5)

    async def _write(self, running: list[list[str]], alone: bool) -> None:
        assert self._connection is not None
        await self._connection.execute(
            """INSERT INTO inbox_notes (worker, alone, running) VALUES ($1, $2, $3)
               ON CONFLICT (worker) DO UPDATE SET alone = $2, running = $3""",
            self._worker,
            alone,
            json.dumps(running),
        )
