"""One text for each customer and an index of three characters, instead of thirty-five rows for each.

Writes the texts of the customers that are there: about a minute for a million of them, in which the store is locked.
"""

import sqlalchemy as sa
from alembic import op

from crm_bridge.models.customer import SQLITE_SEARCH_INDEX
from crm_bridge.search_texts import text_of

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PORTION = 2000
MIN_PART = 3
POSTGRESQL_SEARCH_INDEX = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_search_text_trigrams ON search_text USING gin (text gin_trgm_ops)",
)


def upgrade() -> None:
    op.drop_table("search_term")
    op.create_table(
        "search_text",
        sa.Column("customer_id", BIG_INT, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_search_text_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_search_text")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        _make(SQLITE_SEARCH_INDEX)
    _write_texts()
    if not is_sqlite:
        _make(POSTGRESQL_SEARCH_INDEX)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
    op.create_table(
        "search_term",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("term", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("customer_id", BIG_INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_search_term_customer_id_customer", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "term", "customer_id", name="pk_search_term"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_term_customer_id", "search_term", ["customer_id"], unique=False)
    _write_terms()
    op.drop_table("search_text")


def _make(statements: tuple[str, ...]) -> None:
    for statement in statements:
        op.execute(sa.text(statement))


def _write_texts() -> None:
    customers = sa.table("customer", sa.column("id", sa.BigInteger), sa.column("name_norm"), sa.column("status"))
    points = sa.table("contact_point", sa.column("id"), sa.column("customer_id"), sa.column("value_norm"))
    texts = sa.table("search_text", sa.column("customer_id", sa.BigInteger), sa.column("text"))
    query = sa.select(customers.c.id, customers.c.name_norm).where(customers.c.status == "active")
    connection, after = op.get_bind(), 0
    while rows := connection.execute(query.where(customers.c.id > after).order_by(customers.c.id).limit(PORTION)).all():
        values: dict[int, list[str]] = {}
        after = rows[-1][0]
        theirs = sa.select(points.c.customer_id, points.c.value_norm).where(
            points.c.customer_id.between(rows[0][0], after)
        )
        for customer_id, value in connection.execute(theirs.order_by(points.c.id)):
            values.setdefault(customer_id, []).append(value)
        told = [{"customer_id": row_id, "text": text_of(name, values.get(row_id, ()))} for row_id, name in rows]
        connection.execute(sa.insert(texts), told)


def _write_terms() -> None:
    """Every end of every word, as it was: three characters and more of long words, short words whole."""
    texts = sa.table("search_text", sa.column("customer_id", sa.BigInteger), sa.column("text"))
    terms = sa.table("search_term", sa.column("tenant_id"), sa.column("term"), sa.column("customer_id", sa.BigInteger))
    connection, after = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(texts).where(texts.c.customer_id > after).order_by(texts.c.customer_id).limit(PORTION)
    ).all():
        after = rows[-1][0]
        told = [
            {"tenant_id": 1, "term": term, "customer_id": customer_id}
            for customer_id, words in rows
            for term in sorted({end for word in words.split() for end in _ends(word)})
        ]
        connection.execute(sa.insert(terms), told)


def _ends(word: str) -> list[str]:
    return [word[start : start + 64] for start in range(max(len(word) - MIN_PART + 1, 1))]
