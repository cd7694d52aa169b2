"""What erasures had to leave on legal hold is deleted when the hold is lifted. Those that were held before are, too."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
KEPT = """
INSERT INTO held_erasure (recording_id, receipt_id)
SELECT recording.recording_id, max(erasure_receipt.id)
FROM recording
JOIN interaction ON interaction.contact_id = recording.contact_id
JOIN erasure_receipt ON erasure_receipt.customer_id = interaction.customer_id
WHERE recording.legal_hold AND recording.deleted_at IS NULL AND recording.erase_at IS NULL
GROUP BY recording.recording_id
"""
DUE = """
UPDATE recording SET erase_at = (
    SELECT erasure_receipt.at FROM held_erasure JOIN erasure_receipt ON erasure_receipt.id = held_erasure.receipt_id
    WHERE held_erasure.recording_id = recording.recording_id
)
WHERE recording_id IN (SELECT recording_id FROM held_erasure)
"""


def upgrade() -> None:
    op.create_table(
        "held_erasure",
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("receipt_id", BIG_INT, nullable=False),
        sa.Column("erased_at", INSTANT, nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_held_erasure")),
    )
    op.create_index(op.f("ix_held_erasure_receipt_id"), "held_erasure", ["receipt_id"])
    op.execute(KEPT)
    op.execute(DUE)


def downgrade() -> None:
    op.execute("UPDATE recording SET erase_at = NULL WHERE legal_hold AND deleted_at IS NULL")
    op.drop_table("held_erasure")
