"""The chassis' own tables, the same in every service's database: outbox, inbox, projections."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from chassis.database.rows import new_metadata

metadata = new_metadata()

instant = TIMESTAMP(timezone=True)

outbox = Table(
    "outbox",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("concerned", ARRAY(Uuid), nullable=False),  # subject and others: what an erasure clears
    Column("envelope", JSONB, nullable=False),
    Column("sent_at", instant),
)
Index("ix_outbox_unsent", outbox.c.position, postgresql_where=text("sent_at IS NULL"))
Index("ix_outbox_sent", outbox.c.sent_at, postgresql_where=text("sent_at IS NOT NULL"))

# state: ready (to be claimed), later (from due_at on), awaiting (a subject, or due_at), dead.
inbox = Table(
    "inbox",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),  # the event's
    Column("handler", Text, primary_key=True),  # the function's name
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", instant, nullable=False),
    Column("stored_at", instant, nullable=False),
    Column("concerned", ARRAY(Uuid), nullable=False),  # subject first: handled one at a time
    Column("awaits", Uuid),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("kills", SmallInteger, nullable=False, server_default="0"),
    Column("singly", Boolean, nullable=False, server_default="false"),
    Column("error", Text),
    Column("envelope", JSONB, nullable=False),
)
Index(
    "ix_inbox_ready",
    inbox.c.tenant_id,
    inbox.c.position,
    postgresql_where=text("state = 'ready'"),
)
Index(
    "ix_inbox_due",
    inbox.c.due_at,
    postgresql_where=text("state IN ('later', 'awaiting')"),
)
Index(
    "ix_inbox_awaits",
    inbox.c.tenant_id,
    inbox.c.awaits,
    postgresql_where=text("state = 'awaiting'"),
)
Index("ix_inbox_dead", inbox.c.tenant_id, postgresql_where=text("state = 'dead'"))

inbox_seen = Table(
    "inbox_seen",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("handler", Text, primary_key=True),
    Column("seen_at", instant, nullable=False),
)
Index("ix_inbox_seen_seen_at", inbox_seen.c.seen_at)

# What each worker is about to run; left behind by one that ended uncleanly. Of no tenant.
inbox_notes = Table(
    "inbox_notes",
    metadata,
    Column("worker", BigInteger, primary_key=True, autoincrement=False),  # an advisory lock's key
    Column("alone", Boolean, nullable=False),
    Column("running", JSONB, nullable=False),  # [[tenant, id, handler], …]
)

# The newest (epoch, version) of each subject that a `newest` handler has applied.
projected = Table(
    "projected",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("handler", Text, primary_key=True),
    Column("subject", Uuid, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
)

# Subjects that have come to their end (retired, erased): what is told of them has no effect.
ended = Table(
    "ended",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("subject", Uuid, primary_key=True),
    Column("ended_at", instant, nullable=False),
)

# Each tenant as identity last told of it: what every page and every mail shows.
tenant_projections = Table(
    "tenant_projections",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("state", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
)

# One row: raised when the installation is restored from a backup. Of no tenant.
epochs = Table(
    "epochs",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
)

# What operators did to events by hand: who, when, what. Holds ids and names of code alone.
operator_acts = Table(
    "operator_acts",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("done_at", instant, nullable=False),
    Column("done_by", Text, nullable=False),  # an operator's account, or "command line"
    Column("act", Text, nullable=False),  # replayed, discarded
    Column("event_id", Uuid, nullable=False),
    Column("handler", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("error", Text),  # of which the row was dead
)
Index("ix_operator_acts_done_at", operator_acts.c.done_at)

TENANTLESS = {"inbox_notes", "epochs"}
"""Tables that hold no tenant's data, and so have no policy."""
