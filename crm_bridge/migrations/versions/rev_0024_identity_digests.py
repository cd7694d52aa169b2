"""Numbers of identity cards become keyed digests. There is no way back to the numbers; the digests stay."""

import hashlib
import hmac
import secrets
import unicodedata
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_PROVIDER = "id_card"


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT id, external_id FROM external_identity WHERE provider = :provider"), {"provider": _PROVIDER}
    ).all()
    if not rows:
        return
    key = bytes.fromhex(_key(connection))
    seen: set[str] = set()
    for row_id, external_id in rows:
        if len(external_id) == 64 and all(each in "0123456789abcdef" for each in external_id):
            continue  # from an earlier way up
        plain = "".join(each for each in unicodedata.normalize("NFKC", external_id).upper() if each.isalnum())
        digest = hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()
        if digest in seen:  # the same number, written in two ways
            connection.execute(sa.text("DELETE FROM external_identity WHERE id = :id"), {"id": row_id})
            continue
        seen.add(digest)
        connection.execute(
            sa.text("UPDATE external_identity SET external_id = :digest WHERE id = :id"),
            {"digest": digest, "id": row_id},
        )


def _key(connection: sa.Connection) -> str:
    found = connection.execute(sa.text("SELECT value FROM store_secret WHERE name = 'identity'")).scalar()
    if found:
        return str(found)
    made = secrets.token_hex(32)
    now = datetime.now(UTC)
    at: object = now if connection.dialect.name == "postgresql" else int(now.timestamp() * 1_000_000)
    connection.execute(
        sa.text("INSERT INTO store_secret (name, value, created_at, updated_at) VALUES ('identity', :value, :at, :at)"),
        {"value": made, "at": at},
    )
    return made


def downgrade() -> None:
    """Nothing: the numbers are not there any more."""
