"""The SQL of the inbox, as the mover: claiming in turn, marking, waking, laying down.

Tenants come in turn by a loose index scan from a cursor, a few rows of each, so that one tenant's
backlog costs the others nothing. Within a subject one row at a time: an advisory lock on each
subject that a row concerns, tried on what was claimed (docs/decisions/0005).
"""

from sqlalchemy import text

_LOCK = "pg_try_advisory_xact_lock(hashtextextended({tenant}::text || subject::text, 0))"

_LOCKED = f"""
    (SELECT bool_and({_LOCK.format(tenant="claimed.tenant_id")})
     FROM unnest(claimed.concerned) AS subject)
"""

# Hold further subjects until the transaction ends, as a claim would. Answers who has them already.
HOLD = text(f"""
    SELECT subject FROM unnest(CAST(:subjects AS uuid[])) AS subject
    WHERE NOT {_LOCK.format(tenant="CAST(:tenant AS uuid)")}
""")

_COLUMNS = "tenant_id, id, handler, concerned, attempts, singly, stored_at, envelope"

# Waiting tenants from the cursor on, one index probe each; of each a few rows; up to the batch.
CLAIM = text(f"""
    WITH RECURSIVE turn AS (
        (SELECT tenant_id FROM inbox
         WHERE state = 'ready' AND tenant_id > :cursor ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT inbox.tenant_id FROM inbox
                WHERE state = 'ready' AND inbox.tenant_id > turn.tenant_id
                ORDER BY inbox.tenant_id LIMIT 1)
        FROM turn WHERE turn.tenant_id IS NOT NULL
    ), claimed AS MATERIALIZED (
        SELECT waiting.* FROM turn CROSS JOIN LATERAL (
            SELECT {_COLUMNS} FROM inbox
            WHERE inbox.tenant_id = turn.tenant_id AND state = 'ready'
            ORDER BY position LIMIT :each FOR UPDATE SKIP LOCKED
        ) AS waiting
        WHERE turn.tenant_id IS NOT NULL LIMIT :most
    )
    SELECT *, {_LOCKED} AS locked FROM claimed
""")

CLAIM_ONE = text(f"""
    WITH claimed AS MATERIALIZED (
        SELECT {_COLUMNS} FROM inbox
        WHERE tenant_id = :tenant AND id = :id AND handler = :handler AND state = 'ready'
        FOR UPDATE SKIP LOCKED
    )
    SELECT *, {_LOCKED} AS locked FROM claimed
""")

_KEYS = """
    unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:handlers AS text[]))
        AS key (tenant_id, id, handler)
"""

# Which of the subjects that are held have come to their end.
ENDED = text("""
    SELECT tenant_id, subject FROM ended
    WHERE (tenant_id, subject) IN (
        SELECT * FROM unnest(CAST(:tenants AS uuid[]), CAST(:subjects AS uuid[])))
""")

# Keeps the newest (epoch, version) and answers a row unless a newer one was applied already.
APPLY = text("""
    INSERT INTO projected (tenant_id, handler, subject, epoch, version)
    VALUES (:tenant, :handler, :subject, :epoch, :version)
    ON CONFLICT (tenant_id, handler, subject) DO UPDATE
        SET epoch = excluded.epoch, version = excluded.version
        WHERE (projected.epoch, projected.version) <= (excluded.epoch, excluded.version)
    RETURNING 1
""")

SEE = text(f"""
    INSERT INTO inbox_seen (tenant_id, id, handler, seen_at)
    SELECT tenant_id, id, handler, :now FROM {_KEYS}
    ON CONFLICT DO NOTHING RETURNING tenant_id, id, handler
""")

REMOVE = text(f"""
    DELETE FROM inbox USING {_KEYS}
    WHERE inbox.tenant_id = key.tenant_id AND inbox.id = key.id AND inbox.handler = key.handler
""")

# Whoever awaited one of these subjects is tried again at once.
WAKE = text("""
    UPDATE inbox SET state = 'ready', awaits = NULL
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:subjects AS uuid[])) AS arrived (tenant, subject)
    WHERE state = 'awaiting' AND tenant_id = arrived.tenant AND awaits = arrived.subject
""")

# What is due becomes ready: timers, retries, and those who waited long enough to look again.
RIPEN = text("""
    UPDATE inbox SET state = 'ready', awaits = NULL
    WHERE (tenant_id, id, handler) IN (
        SELECT tenant_id, id, handler FROM inbox
        WHERE state IN ('later', 'awaiting') AND due_at <= :now
        ORDER BY due_at LIMIT 500 FOR UPDATE SKIP LOCKED)
""")

NEXT_DUE = text("SELECT min(due_at) FROM inbox WHERE state IN ('later', 'awaiting')")

LAY_DOWN = text("""
    UPDATE inbox SET state = :state, due_at = :due_at, attempts = :attempts, awaits = :awaits,
        error = :error
    WHERE tenant_id = :tenant AND id = :id AND handler = :handler AND state <> 'dead'
""")

FORGET_SEEN = text("DELETE FROM inbox_seen WHERE seen_at < :before")
