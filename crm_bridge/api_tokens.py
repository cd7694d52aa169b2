"""Tokens by which programs come in: made, found, revoked. The token itself is told once, when it is made.

A token is 32 random bytes, so a plain digest (SHA-256) keeps it as safe as a slow one would, and finding it by its
digest tells nothing by how long it takes.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.errors import InvalidField, ItemNotFound, TokenNameTaken
from crm_bridge.models import ApiToken
from crm_bridge.permissions import Permission

PREFIX = "cct_"
"""So that scanners for secrets, and people, see what it is."""
SCOPES: tuple[Permission, ...] = (Permission.READ, Permission.WRITE, Permission.IMPORT)
"""What a token may allow: no more than the role ``integration``."""
LONGEST_DAYS = 730
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
_TOKEN = re.compile(r"cct_[A-Za-z0-9_-]{43}")
_HINT = 8
_MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be."""

    name: str
    scopes: Sequence[str]
    days: int


async def create_token(session: AsyncSession, new: NewToken, *, actor_id: str, now: datetime) -> tuple[ApiToken, str]:
    """The row and the token. Raises ``InvalidField`` and ``TokenNameTaken``."""
    if not _NAME.fullmatch(new.name):
        told = "a name has lower-case letters, digits, dots and hyphens, 32 at most, and begins with no sign"
        raise InvalidField(told, where="body.name")
    wrong = [scope for scope in new.scopes if scope not in SCOPES]
    if wrong or not new.scopes:
        raise InvalidField(f"scopes are one or more of {', '.join(SCOPES)}", where="body.scopes")
    if not 1 <= new.days <= LONGEST_DAYS:
        raise InvalidField(f"a token lives for 1 to {LONGEST_DAYS} days", where="body.days")
    if await session.scalar(select(ApiToken.id).where(ApiToken.name == new.name)) is not None:
        raise TokenNameTaken("there is, or was, a token of this name; choose another", where="body.name")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        name=new.name,
        digest=_digest(token),
        hint=token[:_HINT],
        scopes=sorted(set(new.scopes)),
        created_by=actor_id,
        expires_at=now + timedelta(days=new.days),
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return row, token


async def find_token(session: AsyncSession, token: str, *, now: datetime) -> ApiToken | None:
    """The row of a token that opens something now; ``None`` for one that is unknown, expired or revoked."""
    if not _TOKEN.fullmatch(token):
        return None
    row = await session.scalar(select(ApiToken).where(ApiToken.digest == _digest(token)))
    return row if row is not None and row.revoked_at is None and now < row.expires_at else None


async def note_use(session: AsyncSession, token_id: int, now: datetime) -> None:
    """Remember when it was last used. Past the session, for a use is no change that the audit log is about."""
    await session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now, updated_at=now))


async def tokens(session: AsyncSession) -> Sequence[ApiToken]:
    """All of them, also those that are over, the newest first."""
    return (await session.scalars(select(ApiToken).order_by(ApiToken.id.desc()).limit(_MOST_LISTED))).all()


async def revoke_token(session: AsyncSession, token_id: int, *, actor_id: str, now: datetime) -> ApiToken:
    """End it for good; one that was revoked stays as it is. Raises ``ItemNotFound``."""
    return _revoked(await session.get(ApiToken, token_id), actor_id, now)


async def revoke_named(session: AsyncSession, name: str, *, actor_id: str, now: datetime) -> ApiToken:
    """End the token of this name. Raises ``ItemNotFound``."""
    return _revoked(await session.scalar(select(ApiToken).where(ApiToken.name == name)), actor_id, now)


def _revoked(row: ApiToken | None, actor_id: str, now: datetime) -> ApiToken:
    if row is None:
        raise ItemNotFound("there is no such token", where="path.token_id")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = now, actor_id
    return row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
