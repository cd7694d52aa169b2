"""The number that forwarded a call, in its interaction.

May be null, so that no row is written again on either database: an empty one is a call that was not forwarded, or one
of before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("interaction", sa.Column("diverted_from", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("interaction", "diverted_from")
