"""A customer's timeline: one order over everything that happened, read from its index and filled in by kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import changes_by_id
from crm_bridge.conversations import begins_conversation, later_parts
from crm_bridge.customers import get_customer
from crm_bridge.errors import InvalidField
from crm_bridge.history import InteractionView, interactions_by_id
from crm_bridge.ids import MAX_ID, new_id
from crm_bridge.keyset import Cursor, Page, bounded, later_than, older_than
from crm_bridge.models import CustomerChange, Interaction, Note, Promise, TimelineEvent
from crm_bridge.promises import promises_by_id
from crm_bridge.spoken_words import entries_with, words_of
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
    parts: tuple[InteractionView, ...] = ()
    """Of a conversation: the contacts that followed from the interaction, in the order they happened."""


_NEWEST_FIRST = (TimelineEvent.at.desc(), TimelineEvent.id.desc())
_OLDEST_FIRST = (TimelineEvent.at, TimelineEvent.id)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a page begins: after the cursor towards the older, after it towards the newer, or with an instant.

    At most one is set; none means the newest entry. ``until`` is the instant of the newest entry wanted.
    """

    before: Cursor | None = None
    newer_than: Cursor | None = None
    until: datetime | None = None


async def page(
    session: AsyncSession,
    customer_id: int,
    *,
    start: Start = Start(),
    limit: int,
    kind: str | None = None,
    channel: str | None = None,
    conversations: bool = False,
    words: str | None = None,
) -> Page[TimelineItem]:
    """Entries from ``start`` on, newest first: all, those of one kind, or the interactions of one channel.

    With ``conversations`` the contacts that a customer was handed on in are one entry, where the first of them is; the
    others are its ``parts``. With ``words`` only what contains all of them (``spoken_words.py``), each contact by
    itself, towards the older. Raises ``CustomerNotFound``, and ``InvalidField`` for no words.
    """
    await get_customer(session, customer_id)
    limit = bounded(limit)
    if words is not None:
        return await _page_with(session, _entries(customer_id, kind, channel, False), start, limit, words)
    wanted = _entries(customer_id, kind, channel, conversations)
    if start.newer_than is not None:
        rows, following, previous = await _towards_newer(session, wanted, start.newer_than, limit)
    else:
        rows, following, previous = await _towards_older(session, wanted, start, limit)
    items = await _filled_in(session, rows)
    return Page(await _with_parts(session, items) if conversations else items, following, previous)


async def _page_with(
    session: AsyncSession, wanted: Select[TimelineEvent], start: Start, limit: int, words: str
) -> Page[TimelineItem]:
    if start.newer_than is not None:
        raise InvalidField("words are looked for towards the older", where="query.newer")
    before = Cursor(start.until, MAX_ID) if start.until is not None else start.before
    older = wanted if before is None else wanted.where(older_than(before, TimelineEvent.at, TimelineEvent.id))
    rows, last = await entries_with(session, older, words_of(words), limit)
    return Page(await _filled_in(session, rows), None if last is None else _key(last))


def _entries(customer_id: int, kind: str | None, channel: str | None, conversations: bool) -> Select[TimelineEvent]:
    query = select(TimelineEvent).where(TimelineEvent.customer_id == customer_id)
    if kind is not None:
        query = query.where(TimelineEvent.kind == kind)
    if channel is not None:
        of_channel = exists().where(Interaction.id == TimelineEvent.ref_id, Interaction.channel == channel)
        query = query.where(TimelineEvent.kind == TimelineKind.INTERACTION, of_channel)
    return query.where(begins_conversation()) if conversations else query


_Rows = tuple[Sequence[TimelineEvent], Cursor | None, Cursor | None]
"""Entries, where older ones begin, and where newer ones do."""


async def _towards_older(session: AsyncSession, wanted: Select[TimelineEvent], start: Start, limit: int) -> _Rows:
    before = Cursor(start.until, MAX_ID) if start.until is not None else start.before
    query = wanted if before is None else wanted.where(older_than(before, TimelineEvent.at, TimelineEvent.id))
    found = (await session.scalars(query.order_by(*_NEWEST_FIRST).limit(limit + 1))).all()
    rows = found[:limit]
    previous = before if not rows or before is None else _key(rows[0])
    if previous is not None and start.until is not None:
        newer = wanted.where(later_than(previous, TimelineEvent.at, TimelineEvent.id)).order_by(*_OLDEST_FIRST)
        previous = previous if (await session.scalars(newer.limit(1))).first() is not None else None
    return rows, _key(rows[-1]) if len(found) > limit else None, previous


async def _towards_newer(session: AsyncSession, wanted: Select[TimelineEvent], after: Cursor, limit: int) -> _Rows:
    query = wanted.where(later_than(after, TimelineEvent.at, TimelineEvent.id)).order_by(*_OLDEST_FIRST)
    found = (await session.scalars(query.limit(limit + 1))).all()
    rows = found[:limit][::-1]
    return rows, _key(rows[-1]) if rows else after, _key(rows[0]) if len(found) > limit else None


def _key(event: TimelineEvent) -> Cursor:
    return Cursor(event.at, event.id)


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


async def _with_parts(session: AsyncSession, items: Sequence[TimelineItem]) -> tuple[TimelineItem, ...]:
    parts = await later_parts(session, [each.interaction for each in items if each.interaction])
    return tuple(
        replace(each, parts=parts.get(each.interaction.contact_id, ())) if each.interaction else each for each in items
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
