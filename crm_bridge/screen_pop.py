"""Reading what a card needs, in a few indexed queries."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.cards import (
    LAST_INTERACTIONS,
    PROMISES_SHOWN,
    RELATED_SHOWN,
    WISHES_SHOWN,
    Card,
    CardBadge,
    CardContact,
    CardInteraction,
    CardPreference,
    CardPromise,
    CardRelated,
    CardSurvey,
    CardWish,
    repeat_window_start,
)
from crm_bridge.customers import contact_points_of, get_customer
from crm_bridge.history import InteractionView, count_inbound_since, last_interactions
from crm_bridge.models import ContactPoint, ContactPreference, Customer, CustomerLevel, Relation
from crm_bridge.personal_preferences import WISHES, preferences_of
from crm_bridge.promises import open_promises
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import ContactKind, CustomerStatus


async def load_card(session: AsyncSession, customer_id: int, now: datetime) -> Card:
    """The card of a customer at ``now``. Raises ``CustomerNotFound``."""
    customer = await get_customer(session, customer_id)
    points = await contact_points_of(session, customer_id)
    interactions = await last_interactions(session, customer_id, limit=LAST_INTERACTIONS)
    return Card(
        customer_id=customer.id,
        kind=customer.kind,
        display_name=customer.display_name,
        preferred_language=customer.preferred_language,
        level=customer.level,
        customer_since=customer.created_at,
        last_contact_at=customer.last_contact_at,
        numbers=tuple(_contact(point) for point in points if point.kind is ContactKind.PHONE),
        emails=tuple(_contact(point) for point in points if point.kind is ContactKind.EMAIL),
        last_interactions=tuple(_line(view) for view in interactions),
        contacts_in_window=await count_inbound_since(session, customer_id, repeat_window_start(now)),
        badge=await _badge(session, customer.level),
        preferences=await _preferences(session, customer_id),
        wishes=await _wishes(session, customer_id),
        promises=await _promises(session, customer_id, now),
        related=await _related(session, customer_id),
    )


async def _badge(session: AsyncSession, level: str | None) -> CardBadge | None:
    row = await session.get(CustomerLevel, level) if level else None
    return CardBadge(row.name, row.rank, row.colour) if row else None


async def _preferences(session: AsyncSession, customer_id: int) -> tuple[CardPreference, ...]:
    """The favourite of each purpose."""
    rows = await session.scalars(
        select(ContactPreference)
        .where(ContactPreference.customer_id == customer_id, ContactPreference.rank == 1)
        .order_by(ContactPreference.purpose)
    )
    return tuple(CardPreference(row.purpose, row.channel, row.language) for row in rows)


async def _wishes(session: AsyncSession, customer_id: int) -> tuple[CardWish, ...]:
    rows = await preferences_of(session, customer_id, WISHES)
    return tuple(CardWish(row.kind, row.value, row.source, row.noted_at) for row in rows[:WISHES_SHOWN])


async def _promises(session: AsyncSession, customer_id: int, now: datetime) -> tuple[CardPromise, ...]:
    rows = await open_promises(session, customer_id, limit=PROMISES_SHOWN)
    return tuple(CardPromise(row.id, row.what, row.due_at, row.assignee_id, row.due_at < now) for row in rows)


async def _related(session: AsyncSession, customer_id: int) -> tuple[CardRelated, ...]:
    """Each direction from its own index; of a firm with very many, some."""
    ends = ((Relation.from_id, Relation.to_id, True), (Relation.to_id, Relation.from_id, False))
    found: list[tuple[int, CardRelated]] = []
    for here, there, is_from in ends:
        query = (
            select(Relation.id, Customer.id, Customer.display_name, Relation.type)
            .join(Customer, Customer.id == there)
            .where(here == customer_id, Customer.status == CustomerStatus.ACTIVE)
        )
        hidden = hidden_from(session, Customer.id)
        query = query if hidden is None else query.where(~hidden)
        for row in await session.execute(query.limit(RELATED_SHOWN)):
            relation_id, other_id, name, what = row
            found.append((relation_id, CardRelated(other_id, name, what, is_from)))
    return tuple(each for _, each in sorted(found, key=lambda pair: pair[0])[:RELATED_SHOWN])


def _contact(point: ContactPoint) -> CardContact:
    return CardContact(point.value_raw, point.value_norm, point.ext, point.usage, point.is_primary)


def _line(view: InteractionView) -> CardInteraction:
    return CardInteraction(
        contact_id=view.contact_id,
        started_at=view.started_at,
        channel=view.channel,
        direction=view.direction,
        outcome=view.outcome,
        queue_id=view.queue_id,
        agent_name=view.agent_name,
        disposition=view.disposition,
        notes=view.notes,
        talk_ms=view.talk_ms,
        survey=None if view.survey is None else CardSurvey(view.survey.kind, view.survey.score),
    )
