"""Duplicates, collisions, merges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
JSON_VALUE = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "collision",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("existing_id", BIG_INT, nullable=False),
        sa.Column("existing_owner", sa.Text(), nullable=True),
        sa.Column("entered_by", sa.Text(), nullable=True),
        sa.Column("created_id", BIG_INT, nullable=True),
        sa.Column("signals", JSON_VALUE, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["existing_id"], ["customer.id"], name=op.f("fk_collision_existing_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collision")),
    )
    op.create_index(op.f("ix_collision_existing_id"), "collision", ["existing_id"], unique=False)
    op.create_table(
        "duplicate_candidate",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("a_id", BIG_INT, nullable=False),
        sa.Column("b_id", BIG_INT, nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("signals", JSON_VALUE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('open', 'merged', 'rejected')", name=op.f("ck_duplicate_candidate_state_known")),
        sa.ForeignKeyConstraint(
            ["a_id"], ["customer.id"], name=op.f("fk_duplicate_candidate_a_id_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["b_id"], ["customer.id"], name=op.f("fk_duplicate_candidate_b_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_candidate")),
        sa.UniqueConstraint("a_id", "b_id", name=op.f("uq_duplicate_candidate_a_id_b_id")),
    )
    op.create_index(op.f("ix_duplicate_candidate_state_score"), "duplicate_candidate", ["state", "score"], unique=False)
    op.create_table(
        "merge_event",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("survivor_id", BIG_INT, nullable=False),
        sa.Column("merged_id", BIG_INT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("undone_at", INSTANT, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["customer.id"], name=op.f("fk_merge_event_merged_id_customer"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["survivor_id"], ["customer.id"], name=op.f("fk_merge_event_survivor_id_customer"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_event")),
    )
    op.create_index(op.f("ix_merge_event_merged_id"), "merge_event", ["merged_id"], unique=False)
    op.create_index(op.f("ix_merge_event_survivor_id"), "merge_event", ["survivor_id"], unique=False)
    op.create_table(
        "merge_item",
        sa.Column("id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("merge_id", BIG_INT, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", JSON_VALUE, nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("old_value", JSON_VALUE, nullable=True),
        sa.Column("new_value", JSON_VALUE, nullable=True),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["merge_event.id"], name=op.f("fk_merge_item_merge_id_merge_event"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_item")),
    )
    op.create_index(op.f("ix_merge_item_merge_id_id"), "merge_item", ["merge_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("merge_item")
    op.drop_table("merge_event")
    op.drop_table("duplicate_candidate")
    op.drop_table("collision")
