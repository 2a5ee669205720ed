"""Handling an event again that was handled already: named by its handler, recorded, once.

What was seen is forgotten for that handler alone, and the row comes in as if it had just been
brought. Only for events that some outbox still keeps.
"""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.ids import new_id
from chassis.inbox.store import STORE, concerned
from contracts.event import Envelope

KEY = "tenant_id = :tenant AND id = :id AND handler = :handler"

FORGET = text(f"DELETE FROM inbox_seen WHERE {KEY}")

RECORD = text("""
    INSERT INTO operator_acts (tenant_id, id, done_at, done_by, act, event_id, handler, type)
    VALUES (:tenant, :act_id, :now, :by, 'replayed', :id, :handler, :type)
""")


async def handle_again(mover: AsyncEngine, envelope: Envelope, handler: str, *, by: str) -> bool:
    """Have the event handled anew by that handler. False where it waits to be handled already."""
    key = {"tenant": envelope.tenant, "id": envelope.id, "handler": handler}
    row = {
        "tenant_id": str(envelope.tenant),
        "id": str(envelope.id),
        "handler": handler,
        "concerned": [str(subject) for subject in concerned(envelope)],
        "envelope": envelope.model_dump(mode="json"),
    }
    now = clock.now()
    async with mover.begin() as connection:
        stored = await connection.execute(STORE, {"rows": json.dumps([row]), "now": now})
        if stored.rowcount == 0:
            return False
        await connection.execute(FORGET, key)
        await connection.execute(
            RECORD, {**key, "act_id": new_id(), "now": now, "by": by, "type": envelope.type}
        )
    return True
