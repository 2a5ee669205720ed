"""Notes: what a worker is about to run, so that what ended it uncleanly is known afterwards.

Each worker holds an advisory lock for as long as it lives; a note whose lock is free was left
behind. What it names runs singly from then on, and a row that ended two workers while it ran
alone is dead (docs/decisions/0006).
"""

import json
import secrets
from collections.abc import Sequence

import asyncpg

from chassis.inbox.verbs import Claimed

KILLS_BOUND = 2

BLAME = """
    UPDATE inbox SET singly = true, kills = kills + note.alone::int,
        state = CASE WHEN kills + note.alone::int >= $2 THEN 'dead' ELSE state END,
        error = CASE WHEN kills + note.alone::int >= $2 THEN 'ended its worker twice' ELSE error END
    FROM inbox_notes AS note CROSS JOIN LATERAL jsonb_array_elements(note.running) AS named
    WHERE note.worker = $1
        AND tenant_id = (named->>0)::uuid AND id = (named->>1)::uuid AND handler = named->>2
"""


class PostgresNotes:
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
        lost, self._worker = self._worker, secrets.randbits(62)
        await self._connection.execute("SELECT pg_advisory_lock($1)", self._worker)
        if lost:  # it was the connection that ended, not the worker: nobody is to blame
            await self._connection.execute("DELETE FROM inbox_notes WHERE worker = $1", lost)
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
        for (worker,) in await self._connection.fetch("SELECT worker FROM inbox_notes"):
            if worker == self._worker:
                continue
            if not await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", worker):
                continue
            try:
                # The note as it stands now: another may have acted on it and taken it away.
                async with self._connection.transaction():
                    await self._connection.execute(BLAME, worker, KILLS_BOUND)
                    running = await self._connection.fetchval(
                        "DELETE FROM inbox_notes WHERE worker = $1 RETURNING running", worker
                    )
                blamed += running is not None and running != "[]"
            finally:
                await self._connection.execute("SELECT pg_advisory_unlock($1)", worker)
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
