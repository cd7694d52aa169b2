"""Surveys that the house sends by message, as far as the store knows of them: planned, asked, by which way, answered.

Whom one goes to is decided when it is sent, by what the customer prefers and can be reached by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers
from sqlalchemy import case, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.ids import new_id
from crm_bridge.models import ContactPoint, ContactPreference, Customer, Interaction, SurveyInvitation
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.secrets_of_store import DIGEST_KEY, digest, secret
from crm_bridge.vocabulary import ContactKind, CustomerStatus, InvitationState

PURPOSE = "survey"
"""The purpose for which consent, objections and wished hours are asked."""
_MOBILE = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})
_OPEN = (InvitationState.PLANNED, InvitationState.ASKING)
_OUT = (InvitationState.ASKING, InvitationState.SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedInvitation:
    """A contact about which the customer is to be asked."""

    call_id: str
    queue_id: str
    agent_id: str
    kind: str
    due_at: datetime
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Way:
    """A channel and an address in it."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a contact was with, and by which ways they can be asked, the best first."""

    person: str
    language: str | None
    ways: tuple[Way, ...]


async def plan_invitations(session: AsyncSession, planned: Sequence[PlannedInvitation]) -> None:
    """Remember contacts; one that is known already stays as it is."""
    table: Any = SurveyInvitation.__table__
    dialect = (await session.connection()).dialect.name
    now = utc_now()
    for each in planned:
        insert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
        values = {
            "id": new_id(),
            "tenant_id": DEFAULT_TENANT,
            "created_at": now,
            "updated_at": now,
            "call_id": each.call_id,
            "queue_id": each.queue_id,
            "agent_id": each.agent_id,
            "kind": each.kind,
            "state": InvitationState.PLANNED,
            "due_at": each.due_at,
            "give_up_at": each.give_up_at,
            "tries": 0,
        }
        await session.execute(insert.on_conflict_do_nothing(), values)


async def due_invitations(session: AsyncSession, now: datetime, limit: int) -> Sequence[str]:
    """The contacts whose customers are to be asked now, the longest due first."""
    here = (SurveyInvitation.state.in_(_OPEN), SurveyInvitation.due_at <= now)
    query = select(SurveyInvitation.call_id).where(*here).order_by(SurveyInvitation.due_at, SurveyInvitation.id)
    return (await session.scalars(query.limit(limit))).all()


async def invitation(session: AsyncSession, call_id: str) -> SurveyInvitation | None:
    """The invitation of a contact."""
    row: SurveyInvitation | None = await session.scalar(
        select(SurveyInvitation).where(SurveyInvitation.call_id == call_id)
    )
    return row


async def was_asked_since(session: AsyncSession, person_digest: str, since: datetime, besides: str) -> bool:
    """Whether this person was asked about another contact since then."""
    query = select(SurveyInvitation.id).where(
        SurveyInvitation.person_digest == person_digest,
        SurveyInvitation.asked_at >= since,
        SurveyInvitation.state.in_(_OUT),
        SurveyInvitation.call_id != besides,
    )
    return await session.scalar(query.limit(1)) is not None


async def open_at(session: AsyncSession, address: str, channel: str, now: datetime) -> Sequence[SurveyInvitation]:
    """What was asked at this address and may still be answered, the latest first."""
    query = select(SurveyInvitation).where(
        SurveyInvitation.address_digest == await digest_of(session, address),
        SurveyInvitation.channel == channel,
        SurveyInvitation.state.in_(_OUT),
        SurveyInvitation.expires_at > now,
    )
    return (await session.scalars(query.order_by(SurveyInvitation.asked_at.desc()).limit(10))).all()


async def digest_of(session: AsyncSession, text: str) -> str:
    """A person or an address, as it is compared and not kept."""
    return digest(await secret(session, DIGEST_KEY, create=True), text)


async def whom_to_ask(session: AsyncSession, call_id: str, channels: Sequence[str]) -> Asked | None:
    """Whom this contact was with. ``None`` while the store does not have it, or when it was nobody that can be told."""
    found = await session.scalar(select(Interaction).where(Interaction.contact_id == call_id))
    if found is None:
        return None
    customer = None if found.customer_id is None else await session.get(Customer, found.customer_id)
    if customer is not None and customer.status is not CustomerStatus.ACTIVE:
        customer = None
    number = found.party_norm or ""
    customer_id = None if customer is None else customer.id
    person = f"customer:{customer_id}" if customer_id is not None else number
    language = found.language or (None if customer is None else customer.preferred_language)
    return Asked(person, language, await _ways(session, customer_id, number, channels)) if person else None


async def _ways(
    session: AsyncSession, customer_id: int | None, number: str, channels: Sequence[str]
) -> tuple[Way, ...]:
    wished = [] if customer_id is None else await _wished_channels(session, customer_id)
    order = [*(each for each in wished if each in channels), *(each for each in channels if each not in wished)]
    points = [] if customer_id is None else await _points(session, customer_id)
    ways = []
    for channel in order:
        if channel == "email":
            ways += [Way(channel, value) for kind, value in points if kind is ContactKind.EMAIL][:1]
        else:
            numbers = [number, *(value for kind, value in points if kind is ContactKind.PHONE)]
            ways += [Way(channel, each) for each in numbers if takes_sms(each)][:1]
    return tuple(ways)


def takes_sms(number: str) -> bool:
    """Whether a number in E.164 may be a mobile phone's."""
    try:
        return phonenumbers.number_type(phonenumbers.parse(number, None)) in _MOBILE
    except phonenumbers.NumberParseException:
        return False


async def _wished_channels(session: AsyncSession, customer_id: int) -> Sequence[str]:
    """What the customer likes to be asked by, or else to be served by, the best first."""
    ours = case((ContactPreference.purpose == PURPOSE, 0), else_=1)
    query = select(ContactPreference.channel).where(
        ContactPreference.customer_id == customer_id, ContactPreference.purpose.in_([PURPOSE, "service"])
    )
    return list(dict.fromkeys(await session.scalars(query.order_by(ours, ContactPreference.rank))))


async def _points(session: AsyncSession, customer_id: int) -> Sequence[tuple[ContactKind, str]]:
    query = select(ContactPoint.kind, ContactPoint.value_norm).where(ContactPoint.customer_id == customer_id)
    rows = await session.execute(query.order_by(ContactPoint.is_primary.desc(), ContactPoint.id))
    return [(kind, value) for kind, value in rows]
