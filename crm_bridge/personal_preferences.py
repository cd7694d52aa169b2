"""What a customer likes: how and when to be spoken to, hobbies, presents. Each with where it is known from and when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import Editing, note_change
from crm_bridge.errors import InvalidField, ItemNotFound
from crm_bridge.ids import new_id
from crm_bridge.models import Customer, PersonalPreference
from crm_bridge.vocabulary import PreferenceKind, PreferenceSource

MAX_PREFERENCES = 100
FIELD = "personal_preference"
WISHES = (PreferenceKind.CONTACT_MANNER, PreferenceKind.CONTACT_TIME)
"""What somebody has to know who speaks with the customer now."""


async def add_preference(
    session: AsyncSession,
    customer: Customer,
    kind: PreferenceKind,
    value: str,
    source: PreferenceSource,
    *,
    noted_at: datetime | None,
    editing: Editing,
) -> PersonalPreference:
    """Remember something; the same again gets the newer source and date. Raises ``InvalidField`` when there is too much
    of it, and for what was noted in the future."""
    if noted_at is not None and noted_at > editing.now:
        raise InvalidField("this has not been yet", where="body.noted_at")
    here = PersonalPreference.customer_id == customer.id
    row: PersonalPreference | None = await session.scalar(
        select(PersonalPreference).where(here, PersonalPreference.kind == kind, PersonalPreference.value == value)
    )
    if row is None:
        count = await session.scalar(select(func.count()).select_from(PersonalPreference).where(here)) or 0
        if count >= MAX_PREFERENCES:
            raise InvalidField(f"the customer has {MAX_PREFERENCES} preferences", where="path.customer_id")
        row = PersonalPreference(id=new_id(), customer_id=customer.id, kind=kind, value=value)
        session.add(row)
        note_change(session, customer, FIELD, None, f"{kind}: {value}", editing)
    row.source, row.noted_at, row.noted_by = source, noted_at or editing.now, editing.actor_id
    await session.flush()
    return row


async def remove_preference(session: AsyncSession, customer: Customer, preference_id: int, editing: Editing) -> None:
    """It does not hold any more. Raises ``ItemNotFound``."""
    row = await session.get(PersonalPreference, preference_id)
    if row is None or row.customer_id != customer.id:
        raise ItemNotFound("the customer has no such preference", where="path.preference_id")
    note_change(session, customer, FIELD, f"{row.kind}: {row.value}", None, editing)
    await session.delete(row)
    await session.flush()


async def preferences_of(
    session: AsyncSession, customer_id: int, kinds: Sequence[PreferenceKind] = tuple(PreferenceKind)
) -> Sequence[PersonalPreference]:
    """What is remembered, by kind, the latest first."""
    query = select(PersonalPreference).where(
        PersonalPreference.customer_id == customer_id, PersonalPreference.kind.in_(kinds)
    )
    rows = (
        await session.scalars(query)
    ).all()  # few, and the database would have to build an order while a phone rings
    return sorted(rows, key=lambda row: (row.kind, -row.noted_at.timestamp(), row.id))
