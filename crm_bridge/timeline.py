"""A customer's timeline: one order over everything that happened, read from its index and filled in by kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import changes_by_id
from crm_bridge.customers import get_customer
from crm_bridge.history import InteractionView, interactions_by_id
from crm_bridge.ids import new_id
from crm_bridge.keyset import Cursor, Page, bounded, older_than
from crm_bridge.models import CustomerChange, Interaction, Note, Promise, TimelineEvent
from crm_bridge.promises import promises_by_id
from crm_bridge.vocabulary import TimelineKind


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One entry with what it points at: the interaction, the text of the note, the change, the promise, or nothing."""

    id: int
    at: datetime
    kind: str
    actor_id: str | None
    actor_name: str | None
    interaction: InteractionView | None
    note: str | None
    change: CustomerChange | None = None
    promise: Promise | None = None


async def page(
    session: AsyncSession,
    customer_id: int,
    *,
    before: Cursor | None,
    limit: int,
    kind: str | None = None,
    channel: str | None = None,
) -> Page[TimelineItem]:
    """The entries before the cursor, newest first: all, those of one kind, or the interactions of one channel.

    Raises ``CustomerNotFound``.
    """
    await get_customer(session, customer_id)
    limit = bounded(limit)
    query = select(TimelineEvent).where(TimelineEvent.customer_id == customer_id)
    if kind is not None:
        query = query.where(TimelineEvent.kind == kind)
    if channel is not None:
        of_channel = exists().where(Interaction.id == TimelineEvent.ref_id, Interaction.channel == channel)
        query = query.where(TimelineEvent.kind == TimelineKind.INTERACTION, of_channel)
    if before is not None:
        query = query.where(older_than(before, TimelineEvent.at, TimelineEvent.id))
    query = query.order_by(TimelineEvent.at.desc(), TimelineEvent.id.desc()).limit(limit + 1)
    rows = (await session.scalars(query)).all()
    items = await _filled_in(session, rows[:limit])
    return Page(items, Cursor(items[-1].at, items[-1].id) if len(rows) > limit else None)


async def add_note(
    session: AsyncSession, customer_id: int, body: str, *, author_id: str, author_name: str, now: datetime
) -> TimelineItem:
    """Write a note into the timeline. Raises ``CustomerNotFound``."""
    await get_customer(session, customer_id)
    note = Note(id=new_id(), customer_id=customer_id, body=body, author_id=author_id, author_name=author_name)
    event = TimelineEvent(
        id=new_id(),
        customer_id=customer_id,
        at=now,
        kind=TimelineKind.NOTE,
        ref_id=note.id,
        actor_id=author_id,
        actor_name=author_name,
    )
    session.add_all([note, event])
    await session.flush()
    return _item(event, None, body)


async def _filled_in(session: AsyncSession, events: Sequence[TimelineEvent]) -> tuple[TimelineItem, ...]:
    """What the events point at, in one query for each kind."""
    interactions = await interactions_by_id(session, _refs(events, TimelineKind.INTERACTION))
    notes = await _notes_by_id(session, _refs(events, TimelineKind.NOTE))
    changes = await changes_by_id(session, _refs(events, TimelineKind.CHANGE))
    promised = _refs(events, TimelineKind.PROMISE) + _refs(events, TimelineKind.PROMISE_SETTLED)
    promises = await promises_by_id(session, promised)
    return tuple(
        _item(
            event,
            interactions.get(event.ref_id),
            notes.get(event.ref_id),
            changes.get(event.ref_id),
            promises.get(event.ref_id),
        )
        for event in events
    )


async def _notes_by_id(session: AsyncSession, ids: list[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = await session.execute(select(Note.id, Note.body).where(Note.id.in_(ids)))
    return {row.id: row.body for row in rows}


def _refs(events: Sequence[TimelineEvent], kind: TimelineKind) -> list[int]:
    return [event.ref_id for event in events if event.kind == kind]


def _item(
    event: TimelineEvent,
    interaction: InteractionView | None,
    note: str | None,
    change: CustomerChange | None = None,
    promise: Promise | None = None,
) -> TimelineItem:
    who = (event.actor_id, event.actor_name)
    return TimelineItem(event.id, event.at, event.kind, *who, interaction, note, change, promise)
