"""Sessions of the console that were signed out, so that a restart does not open them again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import EndedSession

MOST_READ = 100_000


async def keep_ended(
    session: AsyncSession, session_id: str, user_id: str, *, issued_at: datetime, older_than: datetime
) -> None:
    """Write one down, twice is once; and forget those that were opened before ``older_than``, which open nothing."""
    if await session.get(EndedSession, session_id) is None:
        session.add(EndedSession(session_id=session_id, user_id=user_id, issued_at=issued_at))
    await session.execute(delete(EndedSession).where(EndedSession.issued_at < older_than))


async def ended_since(session: AsyncSession, since: datetime) -> Sequence[EndedSession]:
    """Those that were opened since then."""
    query = select(EndedSession).where(EndedSession.issued_at >= since).limit(MOST_READ)
    return (await session.scalars(query)).all()
