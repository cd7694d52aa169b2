"""Calls that are still to be blanked in the exchange's journal."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "journal_erasure",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=True),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_journal_erasure")),
    )
    op.create_index(op.f("ix_journal_erasure_customer_id"), "journal_erasure", ["customer_id"], unique=False)


def downgrade() -> None:
    op.drop_table("journal_erasure")
