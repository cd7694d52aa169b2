"""Random keys that a store makes for itself, and what is done with them: digests of numbers, signatures of receipts."""

import hashlib
import hmac
import secrets

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import StoreSecret
from crm_bridge.models.base import utc_now

DIGEST_KEY = "digest"
RECEIPT_KEY = "receipt"


async def secret(session: AsyncSession, name: str, *, create: bool) -> bytes:
    """The key of this name; empty when there is none yet and none may be made."""
    query = select(StoreSecret.value).where(StoreSecret.name == name)
    value = await session.scalar(query)
    if value is None and create:
        dialect = (await session.connection()).dialect.name
        now = utc_now()
        row = {"name": name, "value": secrets.token_hex(32), "created_at": now, "updated_at": now}
        insert = (sqlite if dialect == "sqlite" else postgresql).insert(StoreSecret)
        await session.execute(insert.values(row).on_conflict_do_nothing())
        value = await session.scalar(query)
    return bytes.fromhex(value or "")


def digest(key: bytes, text: str) -> str:
    """A keyed digest (HMAC-SHA256): tells whether two texts are the same, and not what they are."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_digest_of(key: bytes, text: str, told: str) -> bool:
    """Whether ``told`` is the digest of the text, compared in constant time."""
    return hmac.compare_digest(digest(key, text), told)
