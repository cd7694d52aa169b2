"""A request that is sent twice is carried out once (draft-ietf-httpapi-idempotency-key-header).

The key is written in the transaction of the work itself: either both are there or neither. The answer is added
afterwards; should the process die between the two, a repetition is told that the work was done, and nothing is doubled.
"""

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.errors import AlreadyDone, IdempotencyMismatch
from crm_bridge.models import IdempotencyKey
from crm_bridge.models.base import utc_now

HEADER = "idempotency-key"
MAX_KEY = 200


class Replayed(Exception):
    """This request was carried out before; here is its answer."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(status)
        self.status = status
        self.answer = answer


@dataclass(slots=True)
class Attempt:
    """One request with a key. ``row_id`` once the key is claimed; ``sessions`` of the store it was claimed in."""

    key: str
    fingerprint: str
    row_id: int | None = None
    sessions: Any = None
    keeps_answer: bool = True


present_attempt: ContextVar[Attempt | None] = ContextVar("present_attempt", default=None)


def fingerprint(method: str, path: str, query: str, body: bytes) -> str:
    """Tells whether two requests are the same."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), query.encode(), body))).hexdigest()


async def claim(session: AsyncSession, actor_id: str, sessions: Any) -> None:
    """Claim the present request's key for this unit of work. Nothing to do for a request without one.

    Raises ``Replayed`` when it was carried out before, ``IdempotencyMismatch`` when the key was used for another
    request, ``AlreadyDone`` when the answer is lost.
    """
    attempt = present_attempt.get()
    if attempt is None or attempt.row_id is not None:
        return
    here = (IdempotencyKey.actor_id == actor_id, IdempotencyKey.key == attempt.key)
    row = await session.scalar(select(IdempotencyKey).where(*here))
    if row is not None:
        if row.fingerprint != attempt.fingerprint:
            raise IdempotencyMismatch("this key was used for another request", where="header.idempotency-key")
        if row.status is None:
            raise AlreadyDone("this was done before; its answer is lost", where="header.idempotency-key")
        raise Replayed(row.status, row.answer)
    row = IdempotencyKey(actor_id=actor_id, key=attempt.key, fingerprint=attempt.fingerprint, at=utc_now())
    session.add(row)
    await session.flush()
    attempt.row_id, attempt.sessions = row.id, sessions


def keep_no_answer() -> None:
    """The present request's answer holds a secret, which must lie nowhere: a repetition is told that it was done."""
    attempt = present_attempt.get()
    if attempt is not None:
        attempt.keeps_answer = False


async def keep_answer(attempt: Attempt, status: int, answer: Any) -> None:
    """Remember the answer of a request that was carried out."""
    if attempt.row_id is None or not attempt.keeps_answer:
        return
    async with attempt.sessions.begin() as session:
        row = await session.get(IdempotencyKey, attempt.row_id)
        if row is not None:
            row.status, row.answer = status, answer
