"""What an erasure could not take because it was on legal hold, and the end of it.

The receipt says how many recordings were held. When a hold is lifted the file is deleted like those of other erased
people, and what the receipt said is amended: by a row of its own with a signature of its own, for a receipt that is in
somebody's hands does not change.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import ErasureReceipt, HeldErasure
from crm_bridge.models.base import to_micros
from crm_bridge.secrets_of_store import RECEIPT_KEY, digest, is_digest_of, secret

_KEYS_IN_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class HeldRecording:
    """A recording that outlived an erasure. ``erased_at`` is ``None`` while it is kept; then ``is_genuine`` says
    whether the store has signed that it is gone."""

    recording_id: str
    erased_at: datetime | None
    signature: str | None
    is_genuine: bool


async def keep_in_mind(session: AsyncSession, receipt: ErasureReceipt, recording_ids: Collection[str]) -> None:
    """Write down what the erasure of this receipt had to leave."""
    for each in recording_ids:
        row = await session.get(HeldErasure, each) or HeldErasure(recording_id=each)
        row.receipt_id = receipt.id
        session.add(row)
    await session.flush()


async def settle(session: AsyncSession, recording_ids: Sequence[str], *, now: datetime) -> None:
    """These files are gone: amend the receipts that had to leave one of them."""
    for start in range(0, len(recording_ids), _KEYS_IN_A_QUERY):
        portion = recording_ids[start : start + _KEYS_IN_A_QUERY]
        waiting = select(HeldErasure).where(HeldErasure.recording_id.in_(portion), HeldErasure.erased_at.is_(None))
        for row in (await session.scalars(waiting)).all():
            row.erased_at = now
            row.signature = digest(await secret(session, RECEIPT_KEY, create=True), _signed(row))
    await session.flush()


async def held_of(session: AsyncSession, receipt: ErasureReceipt) -> Sequence[HeldRecording]:
    """What the erasure of this receipt had to leave, and what has become of it."""
    key = await secret(session, RECEIPT_KEY, create=False)
    rows = select(HeldErasure).where(HeldErasure.receipt_id == receipt.id).order_by(HeldErasure.recording_id)
    return [
        HeldRecording(
            row.recording_id,
            row.erased_at,
            row.signature,
            row.signature is not None and is_digest_of(key, _signed(row), row.signature),
        )
        for row in await session.scalars(rows)
    ]


def _signed(row: HeldErasure) -> str:
    gone = None if row.erased_at is None else to_micros(row.erased_at)
    return json.dumps([row.receipt_id, row.recording_id, gone], separators=(",", ":"))
