"""From a contact to those that came from it: a conversation is shown with its parts.

Few contacts have a parent; made in seconds on any size.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_contact_parent_parent_contact_id", "contact_parent", ["parent_contact_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_contact_parent_parent_contact_id", "contact_parent")
