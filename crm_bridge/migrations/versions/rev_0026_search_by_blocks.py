"""The index of the search texts on PostgreSQL begins at a customer: it is made anew, with blocks of customers in it.

A minute for half a million customers, in which the store is locked. Nothing to do on SQLite.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BLOCKS = ", ".join(f"customer_id >> {bits}" for bits in (32, 36, 40, 44, 48, 52, 56))
INDEX = (
    (
        f"CREATE INDEX ix_search_text_blocks ON search_text USING gin ((ARRAY[{BLOCKS}]), text gin_trgm_ops) "
        "WITH (gin_pending_list_limit = 128)"
    ),
    "ALTER TABLE search_text ALTER COLUMN customer_id SET STATISTICS 400",
    "ALTER TABLE search_text SET (autovacuum_analyze_scale_factor = 0.02)",
)
OLD_INDEX = "CREATE INDEX ix_search_text_trigrams ON search_text USING gin (text gin_trgm_ops)"
DEFAULTS = (
    "ALTER TABLE search_text ALTER COLUMN customer_id SET STATISTICS -1",
    "ALTER TABLE search_text RESET (autovacuum_analyze_scale_factor)",
)


def upgrade() -> None:
    _on_postgresql("DROP INDEX ix_search_text_trigrams", "SET LOCAL maintenance_work_mem = '512MB'", *INDEX)


def downgrade() -> None:
    _on_postgresql("DROP INDEX ix_search_text_blocks", *DEFAULTS, OLD_INDEX)


def _on_postgresql(*statements: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in statements:
            op.execute(statement)
