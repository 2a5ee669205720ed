"""Identity's tables, and the two functions that look beyond a tenant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from chassis.database.roles import create_chassis_tables, protect, role_name

revision = "expand_0001_first"
down_revision = None
branch_labels = None
depends_on = None

instant = TIMESTAMP(timezone=True)

TABLES = (
    "tenants",
    "terms",
    "organisations",
    "people",
    "accounts",
    "registrations",
    "activations",
    "sessions",
    "sign_in_attempts",
    "acceptances",
)

# A tenant whole, with the terms in force: all that `TenantChanged` tells of it.
TOLD = """
    RETURNS TABLE (
        tenant_id uuid, version bigint, slug text, host text, state text, facts jsonb,
        terms_number integer, terms_text jsonb, terms_published_at timestamptz
    )
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT tenants.tenant_id, tenants.version, tenants.slug, tenants.host, tenants.state,
            tenants.facts, terms.number, terms.text, terms.published_at
        FROM public.tenants JOIN public.terms
            ON terms.tenant_id = tenants.tenant_id AND terms.number = tenants.terms_number
        {condition}
    $$
"""


def upgrade() -> None:
    """From an empty database."""
    create_chassis_tables(op, "identity")
    op.create_table(
        "organisations",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("postcode", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_organisations"),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_since", "sign_in_attempts", ["tenant_id", "since"])
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("terms_number", sa.Integer, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = tenant_id", name="ck_tenants_own"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_tenants"),
    )
    op.create_index("uq_tenants_host", "tenants", ["host"], unique=True)
    op.create_index("uq_tenants_slug", "tenants", ["slug"], unique=True)
    op.create_table(
        "terms",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("text", JSONB, nullable=False),
        sa.Column("published_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_terms"),
        sa.UniqueConstraint("tenant_id", "number", name="uq_terms_tenant_id_number"),
    )
    op.create_table(
        "people",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("birth_name", sa.Text, nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organisation_id"],
            ["organisations.tenant_id", "organisations.id"],
            name="fk_people_tenant_id_organisation_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people"),
    )
    op.create_index("ix_people_address_key", "people", ["tenant_id", "address_key"])
    op.create_index("ix_people_organisation_id", "people", ["tenant_id", "organisation_id"])
    op.create_table(
        "accounts",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("submission_id", sa.Uuid),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("username", sa.Text),
        sa.Column("username_key", sa.Text),
        sa.Column("password_hash", sa.Text),
        sa.Column("roles", JSONB, nullable=False),
        sa.Column("registered_at", instant, nullable=False),
        sa.Column("activated_at", instant),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organisation_id"],
            ["organisations.tenant_id", "organisations.id"],
            name="fk_accounts_tenant_id_organisation_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name="fk_accounts_tenant_id_person_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_accounts"),
        sa.UniqueConstraint("tenant_id", "username_key", name="uq_accounts_tenant_id_username_key"),
    )
    op.create_index("ix_accounts_organisation_id", "accounts", ["tenant_id", "organisation_id"])
    op.create_index("ix_accounts_person_id", "accounts", ["tenant_id", "person_id"])
    op.create_table(
        "acceptances",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("terms_number", sa.Integer, nullable=False),
        sa.Column("accepted_at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name="fk_acceptances_tenant_id_account_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_acceptances"),
    )
    op.create_index(
        "ix_acceptances_account_id",
        "acceptances",
        ["tenant_id", "account_id", "terms_number"],
        unique=True,
    )
    op.create_table(
        "activations",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("requested_at", instant, nullable=False),
        sa.Column("consumed_at", instant),
        sa.Column("voided_at", instant),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name="fk_activations_tenant_id_account_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_activations"),
    )
    op.create_index(
        "ix_activations_account_id", "activations", ["tenant_id", "account_id", "requested_at"]
    )
    op.create_table(
        "registrations",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("request_id", sa.Uuid, nullable=False),
        sa.Column("one_use_key", sa.Text, nullable=False),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("answers", JSONB, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("terms_number", sa.Integer, nullable=False),
        sa.Column("terms_accepted_at", instant, nullable=False),
        sa.Column("submitted_at", instant, nullable=False),
        sa.Column("account_id", sa.Uuid),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name="fk_registrations_tenant_id_account_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_registrations"),
        sa.UniqueConstraint(
            "tenant_id", "one_use_key", name="uq_registrations_tenant_id_one_use_key"
        ),
    )
    op.create_index("ix_registrations_account_id", "registrations", ["tenant_id", "account_id"])
    op.create_table(
        "sessions",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("cookie_hash", sa.Text, nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name="fk_sessions_tenant_id_account_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sessions"),
        sa.UniqueConstraint("tenant_id", "cookie_hash", name="uq_sessions_tenant_id_cookie_hash"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["tenant_id", "account_id"])
    protect(op, "identity", *TABLES)
    _look_beyond_a_tenant("tenant_by_host(wanted text)", "WHERE tenants.host = wanted")
    _look_beyond_a_tenant("all_tenants()", "ORDER BY tenants.slug")


def _look_beyond_a_tenant(signature: str, condition: str) -> None:
    """A function that reads every tenant's row as *search*, for *app* to call."""
    op.execute(f"CREATE FUNCTION {signature} {TOLD.format(condition=condition)}")
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {role_name('identity', 'app')}")
    op.execute(f"ALTER FUNCTION {signature} OWNER TO {role_name('identity', 'search')}")
