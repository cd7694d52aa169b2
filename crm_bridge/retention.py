"""How long things are kept: by class, in portions, until nothing is left that should be gone."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.audit import note
from crm_bridge.errors import InvalidField
from crm_bridge.held import held_customers
from crm_bridge.journal_erasures import ask_for
from crm_bridge.models import (
    AccessEntry,
    CustomerTag,
    IdempotencyKey,
    Interaction,
    Note,
    Recording,
    RetentionRule,
    TimelineEvent,
    Transcript,
    WrapUp,
)
from crm_bridge.parties import PARTY
from crm_bridge.vocabulary import TimelineKind

PORTION = 500
IDEMPOTENCY_TIME = timedelta(days=2)


async def set_rule(session: AsyncSession, data_class: str, days: int) -> RetentionRule:
    """Keep things of this class for so many days. Raises ``InvalidField``."""
    if data_class not in CLASSES or days < 1:
        raise InvalidField(f"the classes are {', '.join(CLASSES)}", where="path.data_class")
    row = await session.get(RetentionRule, data_class)
    if row is None:
        row = RetentionRule(data_class=data_class, days=days)
        session.add(row)
    row.days = days
    await session.flush()
    return row


async def rules(session: AsyncSession) -> Mapping[str, int]:
    """Days by class."""
    return {row.data_class: row.days for row in await session.scalars(select(RetentionRule))}


async def expire(session: AsyncSession, now: datetime) -> dict[str, int]:
    """Let go a portion of what is older than its rule; how many of each class. Repeat until all are 0."""
    gone = {}
    for data_class, days in (await rules(session)).items():
        gone[data_class] = await CLASSES[data_class](session, now - timedelta(days=days))
        if gone[data_class]:
            note(session, "expire", data_class, str(gone[data_class]))
    tags = delete(CustomerTag).where(CustomerTag.expires_at.is_not(None), CustomerTag.expires_at <= now)
    await session.execute(tags)
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.at < now - IDEMPOTENCY_TIME))
    return gone


async def _callers(session: AsyncSession, before: datetime) -> int:
    """The number and name in a contact that belongs to nobody; the contact itself stays, for the figures."""
    old = (
        select(Interaction.id)
        .where(Interaction.started_at < before, Interaction.customer_id.is_(None), Interaction.party_norm.is_not(None))
        .limit(PORTION)
    )
    ids = (await session.scalars(old)).all()
    await ask_for(session, Interaction.id.in_(ids), None, before)
    for direction, party in PARTY.items():
        here = (Interaction.id.in_(ids), Interaction.direction == direction)
        await session.execute(update(Interaction).where(*here).values(**party))
    return len(ids)


async def _notes(session: AsyncSession, before: datetime) -> int:
    held = Note.customer_id.in_(held_customers())
    ids = (await session.scalars(select(Note.id).where(Note.created_at < before, ~held).limit(PORTION))).all()
    here = (TimelineEvent.kind == TimelineKind.NOTE, TimelineEvent.ref_id.in_(ids))
    await session.execute(delete(TimelineEvent).where(*here))
    await session.execute(delete(Note).where(Note.id.in_(ids)))
    return len(ids)


async def _wrap_up_notes(session: AsyncSession, before: datetime) -> int:
    here = (Interaction.contact_id == WrapUp.contact_id, Interaction.customer_id.in_(held_customers()))
    old = select(WrapUp.contact_id).where(WrapUp.wrapped_up_at < before, WrapUp.notes != "", ~exists().where(*here))
    old = old.limit(PORTION)
    ids = (await session.scalars(old)).all()
    await session.execute(update(WrapUp).where(WrapUp.contact_id.in_(ids)).values(notes=""))
    return len(ids)


async def _transcripts(session: AsyncSession, before: datetime) -> int:
    """Those of recordings go with their recordings at the latest; this is for whoever wants them gone earlier, and for
    those that outside services bring."""
    on_hold = exists().where(Recording.recording_id == Transcript.recording_id, Recording.legal_hold.is_(True))
    held = exists().where(
        Interaction.contact_id == Transcript.contact_id, Interaction.customer_id.in_(held_customers())
    )
    old = select(Transcript.id).where(Transcript.made_at < before, ~on_hold, ~held).limit(PORTION)
    ids = (await session.scalars(old)).all()
    await session.execute(delete(Transcript).where(Transcript.id.in_(ids)))
    return len(ids)


async def _access_log(session: AsyncSession, before: datetime) -> int:
    ids = (await session.scalars(select(AccessEntry.id).where(AccessEntry.at < before).limit(PORTION))).all()
    await session.execute(delete(AccessEntry).where(AccessEntry.id.in_(ids)))
    return len(ids)


CLASSES: Mapping[str, Callable[[AsyncSession, datetime], Awaitable[Any]]] = MappingProxyType(
    {
        "unmatched_callers": _callers,
        "notes": _notes,
        "wrap_up_notes": _wrap_up_notes,
        "access_log": _access_log,
        "transcripts": _transcripts,
    }
)
"""What can be let go, and how."""
