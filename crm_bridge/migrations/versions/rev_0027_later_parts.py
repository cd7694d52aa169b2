"""The later parts of a call are found by its id."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

LATER = sa.text("contact_id <> call_id")


def upgrade() -> None:
    op.create_index(
        "ix_interaction_later_parts", "interaction", ["call_id"], sqlite_where=LATER, postgresql_where=LATER
    )


def downgrade() -> None:
    op.drop_index("ix_interaction_later_parts", table_name="interaction")
