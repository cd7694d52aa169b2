"""Surveys that the house sends by message, and what is said beside the number."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("survey_response", sa.Column("comment", sa.Text(), nullable=True))
    op.create_table(
        "survey_invitation",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("queue_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("give_up_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("person_digest", sa.Text(), nullable=True),
        sa.Column("address_digest", sa.Text(), nullable=True),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'asking', 'sent', 'failed', 'skipped')", name=op.f("ck_survey_invitation_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_invitation")),
        sa.UniqueConstraint("call_id", name=op.f("uq_survey_invitation_call_id")),
    )
    op.create_index(op.f("ix_survey_invitation_state_due_at"), "survey_invitation", ["state", "due_at"])
    op.create_index(
        op.f("ix_survey_invitation_person_digest_asked_at"), "survey_invitation", ["person_digest", "asked_at"]
    )
    op.create_index(
        op.f("ix_survey_invitation_address_digest_asked_at"), "survey_invitation", ["address_digest", "asked_at"]
    )


def downgrade() -> None:
    op.drop_table("survey_invitation")
    op.drop_column("survey_response", "comment")
