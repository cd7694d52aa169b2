"""Of interactions, only those without a customer are looked for by their number: the index of numbers has no others.

It takes a fraction of the room, and what arrives writes one page less. Made anew, which takes some seconds for each
million interactions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = ["tenant_id", "party_norm", "started_at"]
IS_UNMATCHED = sa.text("customer_id IS NULL")


def upgrade() -> None:
    op.drop_index("ix_interaction_party_norm_started_at", "interaction")
    op.create_index(
        "ix_interaction_unmatched",
        "interaction",
        COLUMNS,
        sqlite_where=IS_UNMATCHED,
        postgresql_where=IS_UNMATCHED,
    )


def downgrade() -> None:
    op.drop_index("ix_interaction_unmatched", "interaction")
    op.create_index("ix_interaction_party_norm_started_at", "interaction", COLUMNS)
