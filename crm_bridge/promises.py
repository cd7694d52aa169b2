"""Promises to customers: what, until when, by whom; kept, broken or withdrawn. Each has two timeline entries."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import Editing
from crm_bridge.customers import get_customer
from crm_bridge.errors import AlreadySettled, InvalidField, ItemNotFound
from crm_bridge.ids import new_id
from crm_bridge.keyset import Cursor, Page, bounded, later_than
from crm_bridge.models import Promise, TimelineEvent
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.profiles import customer_as_seen
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import PromiseState, TimelineKind

MAX_OPEN = 100
"""Open promises of one customer; more are no promises any more."""


async def make_promise(
    session: AsyncSession,
    customer_id: int,
    what: str,
    due_at: datetime,
    *,
    assignee_id: str,
    contact_id: str | None = None,
    editing: Editing,
) -> Promise:
    """Promise the customer something. Raises ``CustomerNotFound``, and ``InvalidField`` when there are too many."""
    customer = await customer_as_seen(session, customer_id, None)
    if len(await open_promises(session, customer.id, limit=MAX_OPEN)) == MAX_OPEN:
        raise InvalidField(f"the customer has {MAX_OPEN} open promises", where="path.customer_id")
    row = Promise(
        id=new_id(),
        customer_id=customer.id,
        what=what,
        due_at=due_at,
        assignee_id=assignee_id,
        state=PromiseState.OPEN,
        promised_at=editing.now,
        promised_by=editing.actor_id or "",
        contact_id=contact_id,
    )
    session.add_all([row, _entry(row, TimelineKind.PROMISE, editing)])
    await session.flush()
    return row


async def settle_promise(
    session: AsyncSession, promise_id: int, state: PromiseState, outcome: str | None, editing: Editing
) -> Promise:
    """Say what became of it. Raises ``ItemNotFound``, and ``AlreadySettled`` when somebody has said so already."""
    row = await _seen(session, promise_id)
    if row.state is not PromiseState.OPEN:
        raise AlreadySettled(f"this promise is {row.state} already", where="path.promise_id")
    row.state, row.outcome = state, outcome
    row.settled_at, row.settled_by = editing.now, editing.actor_id
    session.add(_entry(row, TimelineKind.PROMISE_SETTLED, editing))
    await session.flush()
    return row


async def move_promise(
    session: AsyncSession, promise_id: int, *, due_at: datetime | None, assignee_id: str | None
) -> Promise:
    """Give an open promise another time, or to somebody else. Raises ``ItemNotFound`` and ``AlreadySettled``."""
    row = await _seen(session, promise_id)
    if row.state is not PromiseState.OPEN:
        raise AlreadySettled(f"this promise is {row.state} already", where="path.promise_id")
    row.due_at, row.assignee_id = due_at or row.due_at, assignee_id or row.assignee_id
    await session.flush()
    return row


async def open_promises(session: AsyncSession, customer_id: int, *, limit: int) -> Sequence[Promise]:
    """What the customer still waits for, the most urgent first."""
    query = select(Promise).where(Promise.customer_id == customer_id, Promise.state == PromiseState.OPEN)
    return (await session.scalars(query.order_by(Promise.due_at, Promise.id).limit(limit))).all()


async def promises_of(session: AsyncSession, customer_id: int, limit: int = 200) -> Sequence[Promise]:
    """All that was ever promised, the latest first. Raises ``CustomerNotFound``."""
    customer = await get_customer(session, customer_id)
    query = select(Promise).where(Promise.customer_id == customer.id).order_by(Promise.id.desc())
    return (await session.scalars(query.limit(limit))).all()


async def promises_due(
    session: AsyncSession, *, until: datetime | None, assignee_id: str | None, after: Cursor | None, limit: int
) -> Page[Promise]:
    """Open promises, the most urgent first: of everybody or of one person, all or those due until an instant."""
    limit = bounded(limit)
    query = select(Promise).where(Promise.tenant_id == DEFAULT_TENANT, Promise.state == PromiseState.OPEN)
    if until is not None:
        query = query.where(Promise.due_at <= until)
    if assignee_id is not None:
        query = query.where(Promise.assignee_id == assignee_id)
    if after is not None:
        query = query.where(later_than(after, Promise.due_at, Promise.id))
    hidden = hidden_from(session, Promise.customer_id)
    query = query if hidden is None else query.where(~hidden)
    rows = (await session.scalars(query.order_by(Promise.due_at, Promise.id).limit(limit + 1))).all()
    items = tuple(rows[:limit])
    return Page(items, Cursor(items[-1].due_at, items[-1].id) if len(rows) > limit else None)


async def promises_by_id(session: AsyncSession, ids: Sequence[int]) -> dict[int, Promise]:
    """The promises with these ids."""
    if not ids:
        return {}
    return {row.id: row for row in await session.scalars(select(Promise).where(Promise.id.in_(ids)))}


async def _seen(session: AsyncSession, promise_id: int) -> Promise:
    row = await session.get(Promise, promise_id)
    if row is None:
        raise ItemNotFound("there is no such promise", where="path.promise_id")
    await get_customer(session, row.customer_id)
    return row


def _entry(row: Promise, kind: TimelineKind, editing: Editing) -> TimelineEvent:
    return TimelineEvent(
        customer_id=row.customer_id,
        at=editing.now,
        kind=kind,
        ref_id=row.id,
        actor_id=editing.actor_id,
        actor_name=editing.actor_name,
    )
