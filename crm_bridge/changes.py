"""Writing down what changed about a customer: the field, what it was, what it is. Each change is a timeline entry."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from crm_bridge.ids import new_id
from crm_bridge.models import Customer, CustomerChange, TimelineEvent
from crm_bridge.vocabulary import SourceKind, TimelineKind


@dataclass(frozen=True, slots=True)
class Editing:
    """Who changes something, when, and why if there is more to say than that a person did it."""

    now: datetime
    actor_id: str | None = None
    actor_name: str | None = None
    reason: str | None = None
    source: SourceKind | None = None
    """``SELF`` where the customer entered it; else who and when tell."""


def note_change(
    session: AsyncSession, customer: Customer, field: str, old: Any, new: Any, editing: Editing, *, hidden: bool = False
) -> bool:
    """Write the change down and mark the customer as edited. ``False``, and nothing written, when none is.

    Of a ``hidden`` field only is written that it changed.
    """
    before, after = as_text(old), as_text(new)
    if before == after:
        return False
    if hidden:
        before = after = None
    change_id = new_id()
    session.add_all(
        [
            CustomerChange(
                id=change_id,
                customer_id=customer.id,
                at=editing.now,
                actor_id=editing.actor_id,
                field=field,
                old_value=before,
                new_value=after,
                reason=editing.reason,
                source=editing.source,
            ),
            TimelineEvent(
                customer_id=customer.id,
                at=editing.now,
                kind=TimelineKind.CHANGE,
                ref_id=change_id,
                actor_id=editing.actor_id,
                actor_name=editing.actor_name,
            ),
        ]
    )
    touch(customer, editing)
    return True


def touch(customer: Customer, editing: Editing) -> None:
    """Count an edit of anything that belongs to the record, so that its version moves on with its parts."""
    customer.updated_at = max(editing.now, customer.updated_at)
    flag_modified(customer, "updated_at")


async def changes_by_id(session: AsyncSession, ids: Sequence[int]) -> dict[int, CustomerChange]:
    """The changes with these ids."""
    if not ids:
        return {}
    rows = await session.scalars(select(CustomerChange).where(CustomerChange.id.in_(ids)))
    return {row.id: row for row in rows}


async def changes_of(
    session: AsyncSession, customer_id: int, field: str | None, limit: int
) -> Sequence[CustomerChange]:
    """The latest changes of a customer, or of one field, the newest first."""
    query = select(CustomerChange).where(CustomerChange.customer_id == customer_id)
    if field is not None:
        query = query.where(CustomerChange.field == field)
    return (await session.scalars(query.order_by(CustomerChange.id.desc()).limit(limit))).all()


def as_text(value: Any) -> str | None:
    """A value as a change has it; ``None`` for nothing."""
    if value is None or value == "" or value == [] or value == {}:
        return None
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
