"""Where things are known from and on which ground they are kept; claims to customers who are somebody's; tastes.

New tables, and columns without a default: nothing is rewritten on the way up, whatever the size. On the way down SQLite
writes the changes anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
IS_OPEN = sa.text("state = 'open'")
KINDS = "'contact_manner', 'contact_time', 'hobby', 'gift', 'other'"
SOURCES = "'customer', 'agent', 'third_party', 'survey', 'import'"


def upgrade() -> None:
    op.create_table(
        "field_basis",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("field", name=op.f("pk_field_basis")),
    )
    op.create_table(
        "owner_claim",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.Column("line_of_business", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("claimant_id", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('open', 'granted', 'refused')", name=op.f("ck_owner_claim_state_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_owner_claim_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner_claim")),
    )
    op.create_index(
        "uq_owner_claim_open",
        "owner_claim",
        ["customer_id", "line_of_business", "claimant_id"],
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index(
        "ix_owner_claim_open_id", "owner_claim", ["id"], unique=False, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
    )
    op.create_table(
        "personal_preference",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_personal_preference_kind_known")),
        sa.CheckConstraint(f"source IN ({SOURCES})", name=op.f("ck_personal_preference_source_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_personal_preference_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_preference")),
        sa.UniqueConstraint("customer_id", "kind", "value", name=op.f("uq_personal_preference_customer_id_kind_value")),
    )
    op.add_column("customer_change", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("ownership", sa.Column("end_reason", sa.Text(), nullable=True))
    op.add_column("contact_preference", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("contact_preference", sa.Column("noted_at", INSTANT, nullable=True))


def downgrade() -> None:
    op.drop_column("contact_preference", "noted_at")
    op.drop_column("contact_preference", "source")
    op.drop_column("ownership", "end_reason")
    op.drop_column("customer_change", "source")
    op.drop_table("personal_preference")
    op.drop_table("owner_claim")
    op.drop_table("field_basis")
