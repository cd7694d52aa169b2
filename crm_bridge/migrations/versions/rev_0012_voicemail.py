"""Messages that callers left."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "voicemail",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("left_at", INSTANT, nullable=True),
        sa.Column("worked_at", INSTANT, nullable=True),
        sa.Column("worked_by", sa.Text(), nullable=True),
        sa.Column("journal_seq", BIG_INT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voicemail")),
        sa.UniqueConstraint("recording_id", name=op.f("uq_voicemail_recording_id")),
    )
    op.create_index("ix_voicemail_worked_at_left_at", "voicemail", ["worked_at", "left_at"], unique=False)


def downgrade() -> None:
    op.drop_table("voicemail")
