"""What was said in conversations, written down; finished recordings are found in the order they were finished."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "transcript",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("segments", JSON, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=True),
        sa.Column("attempts", BIG_INT, nullable=False),
        sa.Column("retry_at", INSTANT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("version", BIG_INT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed', 'skipped')", name=op.f("ck_transcript_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transcript")),
        sa.UniqueConstraint("contact_id", "recording_id", name=op.f("uq_transcript_contact_id_recording_id")),
    )
    op.create_index(op.f("ix_transcript_recording_id"), "transcript", ["recording_id"])
    op.create_index("ix_recording_stored_at_id", "recording", ["stored_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_recording_stored_at_id", table_name="recording")
    op.drop_table("transcript")
