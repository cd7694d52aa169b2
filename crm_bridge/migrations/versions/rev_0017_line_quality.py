"""How the lines of calls sounded."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "line_quality",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_name", sa.Text(), nullable=True),
        sa.Column("measured_at", INSTANT, nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("packets_in", BIG_INT, nullable=False),
        sa.Column("packets_lost", BIG_INT, nullable=False),
        sa.Column("is_heard", sa.Boolean(), nullable=False),
        sa.Column("jitter_ms", sa.Float(), nullable=False),
        sa.Column("round_trip_ms", sa.Float(), nullable=True),
        sa.Column("far_loss_percent", sa.Float(), nullable=True),
        sa.Column("mos", sa.Float(), nullable=True),
        sa.Column("worst_mos", sa.Float(), nullable=True),
        sa.Column("worst_loss_percent", sa.Float(), nullable=True),
        sa.Column("journal_seq", BIG_INT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_quality")),
        sa.UniqueConstraint("call_id", "leg", name=op.f("uq_line_quality_call_id_leg")),
    )
    op.create_index("ix_line_quality_contact_id", "line_quality", ["contact_id"], unique=False)


def downgrade() -> None:
    op.drop_table("line_quality")
