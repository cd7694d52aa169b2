"""The customer store: customers, contact points, interactions, timeline, notes, projection cursor."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
JSON_VALUE = sa.JSON().with_variant(JSONB(), "postgresql")
SORTABLE_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(), nullable=False),
        sa.Column("preferred_language", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("last_contact_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("row_version", BIG_INT, nullable=False),
        sa.CheckConstraint("kind IN ('person', 'org')", name=op.f("ck_customer_kind_known")),
        sa.CheckConstraint("status IN ('active', 'merged', 'erased')", name=op.f("ck_customer_status_known")),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
    )
    op.create_table(
        "projection_cursor",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", BIG_INT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_projection_cursor"),
    )
    op.create_table(
        "wrap_up",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("wrapped_up_at", INSTANT, nullable=False),
        sa.Column("journal_seq", BIG_INT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name="pk_wrap_up"),
    )
    op.create_table(
        "contact_point",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("usage", sa.Text(), nullable=False),
        sa.Column("value_raw", sa.Text(), nullable=False),
        sa.Column("value_norm", sa.Text(), nullable=False),
        sa.Column("phone_e164_int", BIG_INT, nullable=True),
        sa.Column("ext", sa.Text(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('phone', 'email')", name=op.f("ck_contact_point_kind_known")),
        sa.CheckConstraint(
            "usage IN ('home', 'work', 'mobile', 'fax', 'billing', 'other')", name=op.f("ck_contact_point_usage_known")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_contact_point_customer_id_customer", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_contact_point"),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "value_norm",
            "customer_id",
            name="uq_contact_point_tenant_id_kind_value_norm_customer_id",
        ),
    )
    op.create_index("ix_contact_point_customer_id", "contact_point", ["customer_id"], unique=False)
    op.create_index(
        "uq_contact_point_primary",
        "contact_point",
        ["customer_id", "kind"],
        unique=True,
        sqlite_where=sa.text("is_primary"),
        postgresql_where=sa.text("is_primary"),
    )
    op.create_table(
        "interaction",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("from_value", sa.Text(), nullable=False),
        sa.Column("from_name", sa.Text(), nullable=False),
        sa.Column("to_value", sa.Text(), nullable=False),
        sa.Column("party_norm", sa.Text(), nullable=True),
        sa.Column("customer_id", BIG_INT, nullable=True),
        sa.Column("match_state", sa.Text(), nullable=False),
        sa.Column("queue_id", sa.Text(), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_name", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("flow_path", JSON_VALUE, nullable=False),
        sa.Column("waited_ms", BIG_INT, nullable=False),
        sa.Column("ring_ms", BIG_INT, nullable=False),
        sa.Column("talk_ms", BIG_INT, nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("journal_seq", BIG_INT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("direction IN ('inbound', 'outbound')", name=op.f("ck_interaction_direction_known")),
        sa.CheckConstraint(
            "match_state IN ('pending', 'none', 'one', 'many', 'manual', 'unavailable')",
            name=op.f("ck_interaction_match_state_known"),
        ),
        sa.UniqueConstraint("contact_id", name="uq_interaction_contact_id"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_interaction_customer_id_customer", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_interaction"),
    )
    op.create_index(
        "ix_interaction_customer_id_started_at_id", "interaction", ["customer_id", "started_at", "id"], unique=False
    )
    op.create_index(
        "ix_interaction_party_norm_started_at", "interaction", ["tenant_id", "party_norm", "started_at"], unique=False
    )
    op.create_index("ix_interaction_started_at_id", "interaction", ["tenant_id", "started_at", "id"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_note_customer_id_customer", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
    )
    op.create_index("ix_note_customer_id", "note", ["customer_id"], unique=False)
    op.create_table(
        "phone_lookup",
        sa.Column("phone_e164_int", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_phone_lookup_customer_id_customer", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("phone_e164_int", "tenant_id", "customer_id", name="pk_phone_lookup"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_phone_lookup_customer_id", "phone_lookup", ["customer_id"], unique=False)
    op.create_table(
        "search_term",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("term", SORTABLE_TEXT, nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_search_term_customer_id_customer", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "term", "customer_id", name="pk_search_term"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_term_customer_id", "search_term", ["customer_id"], unique=False)
    op.create_table(
        "timeline_event",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref_id", BIG_INT, nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.UniqueConstraint("kind", "ref_id", name="uq_timeline_event_kind_ref_id"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_timeline_event_customer_id_customer", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_timeline_event"),
    )
    op.create_index("ix_timeline_event_customer_id_at_id", "timeline_event", ["customer_id", "at", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("timeline_event")
    op.drop_table("search_term")
    op.drop_table("phone_lookup")
    op.drop_table("note")
    op.drop_table("interaction")
    op.drop_table("contact_point")
    op.drop_table("wrap_up")
    op.drop_table("projection_cursor")
    op.drop_table("customer")
