"""The consent ledger and the suppression list, and the one way to a clearance for contacting somebody.

Whoever dials or sends takes a ``Clearance``, and ``clear_for_contact`` is the only function that makes one. It is for
one number or address, one channel and one purpose, and good for a minute: what was allowed this morning has to be asked
again in the evening.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers.timezone
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.contact_points import NewContactPoint, normalise_point
from crm_bridge.contact_rules import (
    BY_HAND,
    ConsentFact,
    Contactability,
    ContactFacts,
    WishedHours,
    contactability,
)
from crm_bridge.customers import get_customer
from crm_bridge.errors import InvalidContactPoint, InvalidField, ItemNotFound, NotContactable
from crm_bridge.ids import new_id
from crm_bridge.models import (
    Consent,
    ContactPoint,
    ContactPreference,
    Customer,
    CustomerProfile,
    HoursOverride,
    Suppression,
    TimelineEvent,
)
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.record_parts import WEEKDAYS
from crm_bridge.secrets_of_store import DIGEST_KEY, digest, secret
from crm_bridge.vocabulary import ConsentStatus, ContactKind, CustomerStatus, TimelineKind

CLEARANCE_TIME = timedelta(seconds=60)

_SEAL = object()
_KIND_OF_CHANNEL = {"email": ContactKind.EMAIL}
_MAX_SHARED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent:
    """Something a customer said about being contacted."""

    channel: str
    purpose: str
    status: ConsentStatus
    legal_basis: str
    source: str
    value: str | None = None
    until_at: datetime | None = None
    evidence: str | None = None


class Clearance:
    """Leave to contact one number or address once, now. Only ``clear_for_contact`` gives it."""

    __slots__ = ("channel", "purpose", "until", "value_norm")

    def __init__(self, seal: object, value_norm: str, channel: str, purpose: str, until: datetime) -> None:
        if seal is not _SEAL:
            raise TypeError("a clearance comes from clear_for_contact")
        self.value_norm, self.channel, self.purpose, self.until = value_norm, channel, purpose, until

    def covers(self, value_norm: str, channel: str, now: datetime) -> bool:
        """Whether this number or address may be contacted by this channel now."""
        return value_norm == self.value_norm and channel == self.channel and now <= self.until


async def clear_for_contact(
    session: AsyncSession,
    value: str,
    *,
    channel: str,
    purpose: str,
    now: datetime,
    region: str | None,
    whatever_the_hour: bool = False,
) -> Clearance:
    """Leave to contact this number or address. Raises ``NotContactable``, with every reason against.

    ``whatever_the_hour``: somebody answers for the hour (``override_hours``). It overrides nothing but the clock.
    """
    value_norm, decision = await _decide(session, value, channel, purpose, now, region)
    if not decision.is_allowed and not (whatever_the_hour and decision.is_of_the_clock):
        raise NotContactable(", ".join(decision.reasons))
    return Clearance(_SEAL, value_norm, channel, purpose, now + CLEARANCE_TIME)


async def check_contact(
    session: AsyncSession, value: str, *, channel: str, purpose: str, now: datetime, region: str | None
) -> Contactability:
    """The same decision, to show it."""
    return (await _decide(session, value, channel, purpose, now, region))[1]


async def override_hours(
    session: AsyncSession, value: str, reason: str, *, actor_id: str, purpose: str, now: datetime, region: str | None
) -> HoursOverride | None:
    """Somebody takes it upon themselves to call now: written down, with what speaks against it. ``None`` when nothing
    does. Raises ``NotContactable`` when it is more than the hour."""
    value_norm, decision = await _decide(session, value, "voice", purpose, now, region)
    if decision.is_allowed:
        return None
    if not decision.is_of_the_clock:
        raise NotContactable(", ".join(decision.reasons))
    known = await _who_has(session, value_norm, "voice")
    row = HoursOverride(
        at=now,
        actor_id=actor_id,
        customer_id=known[0] if len(known) == 1 else None,
        value_digest=digest(await secret(session, DIGEST_KEY, create=True), value_norm),
        against=[str(each) for each in decision.reasons],
        reason=reason,
    )
    session.add(row)
    await session.flush()
    return row


async def overrides(session: AsyncSession, *, before: int | None, limit: int) -> Sequence[HoursOverride]:
    """Who called in quiet hours, why, the latest first."""
    query = select(HoursOverride).order_by(HoursOverride.id.desc()).limit(limit)
    return (await session.scalars(query if before is None else query.where(HoursOverride.id < before))).all()


async def contact_zones(session: AsyncSession, value: str, *, channel: str, region: str | None) -> list[str]:
    """Where whoever has this number lives, as IANA names; several when that is not sure, none when nothing is known."""
    try:
        value_norm = _normal(value, channel, region)
    except InvalidContactPoint:
        return []
    return await _zones(session, await _who_has(session, value_norm, channel), value_norm)


async def record_consent(
    session: AsyncSession, customer_id: int, new: NewConsent, *, now: datetime, region: str | None, actor_id: str | None
) -> Consent:
    """Append to the customer's ledger. Raises ``CustomerNotFound`` and ``InvalidContactPoint``."""
    customer = await get_customer(session, customer_id)
    value_norm = None if new.value is None else _normal(new.value, new.channel, region)
    row = Consent(
        id=new_id(),
        customer_id=customer.id,
        value_norm=value_norm,
        channel=new.channel,
        purpose=new.purpose,
        status=new.status,
        legal_basis=new.legal_basis,
        captured_at=now,
        until_at=new.until_at,
        source=new.source,
        evidence=new.evidence,
        actor_id=actor_id,
    )
    event = TimelineEvent(customer_id=customer.id, at=now, kind=TimelineKind.CONSENT, ref_id=row.id, actor_id=actor_id)
    session.add_all([row, event])
    await session.flush()
    return row


async def ledger(session: AsyncSession, customer_id: int, limit: int = 500) -> Sequence[Consent]:
    """Everything the customer said, the newest first."""
    query = select(Consent).where(Consent.customer_id == customer_id).order_by(Consent.id.desc())
    return (await session.scalars(query.limit(limit))).all()


async def suppress(
    session: AsyncSession,
    value: str,
    *,
    channel: str | None,
    purpose: str | None,
    reason: str,
    source: str,
    until_at: datetime | None,
    region: str | None,
    actor_id: str | None,
) -> Suppression:
    """Put a number or address on the list, whoever it belongs to. Raises ``InvalidContactPoint``."""
    value_norm = _normal(value, channel or ("email" if "@" in value else "voice"), region)
    row = Suppression(
        id=new_id(),
        value_digest=digest(await secret(session, DIGEST_KEY, create=True), value_norm),
        channel=channel,
        purpose=purpose,
        reason=reason,
        source=source,
        until_at=until_at,
        actor_id=actor_id,
    )
    session.add(row)
    await session.flush()
    return row


async def suppressions_of(session: AsyncSession, value_norm: str, now: datetime | None = None) -> Sequence[Suppression]:
    """What is on the list about a number or address; with ``now``, only what holds then."""
    key = await secret(session, DIGEST_KEY, create=False)
    if not key:
        return []
    here = (Suppression.tenant_id == DEFAULT_TENANT, Suppression.value_digest == digest(key, value_norm))
    query = select(Suppression).where(*here).order_by(Suppression.id)
    if now is not None:
        query = query.where(or_(Suppression.until_at.is_(None), Suppression.until_at > now))
    return (await session.scalars(query)).all()


async def suppressed(
    session: AsyncSession, value: str | None, *, region: str | None, limit: int
) -> Sequence[Suppression]:
    """The list, the latest first: all of it, or what is on it about one number or address."""
    if value is not None:
        return await suppressions_of(session, _normal(value, "email" if "@" in value else "voice", region))
    query = select(Suppression).where(Suppression.tenant_id == DEFAULT_TENANT).order_by(Suppression.id.desc())
    return (await session.scalars(query.limit(limit))).all()


async def unsuppress(session: AsyncSession, suppression_id: int) -> None:
    """Take an entry off the list. Raises ``ItemNotFound``."""
    row = await session.get(Suppression, suppression_id)
    if row is None:
        raise ItemNotFound("there is no such entry", where="path.suppression_id")
    await session.delete(row)
    await session.flush()


async def _decide(
    session: AsyncSession, value: str, channel: str, purpose: str, now: datetime, region: str | None
) -> tuple[str, Contactability]:
    if now.tzinfo is None:
        raise InvalidField("an instant needs a time zone", where="now")
    try:
        value_norm = _normal(value, channel, region)
    except InvalidContactPoint:
        return value, contactability(ContactFacts(channel=channel, purpose=purpose, now=now, reachable=False))
    customer_ids = await _who_has(session, value_norm, channel)
    listed = await suppressions_of(session, value_norm, now)
    facts = ContactFacts(
        channel=channel,
        purpose=purpose,
        now=now,
        suppressed=any(each.channel in (None, channel) and each.purpose in (None, purpose) for each in listed),
        consents=[await _newest(session, each, value_norm, channel, purpose) for each in customer_ids],
        zones=await _zones(session, customer_ids, value_norm),
        wished=await _wished(session, customer_ids, channel, purpose),
    )
    return value_norm, contactability(facts)


def _normal(value: str, channel: str, region: str | None) -> str:
    kind = _KIND_OF_CHANNEL.get(channel, ContactKind.PHONE)
    return normalise_point(NewContactPoint(value, kind), region, "body.value").value_norm


async def _who_has(session: AsyncSession, value_norm: str, channel: str) -> Sequence[int]:
    query = (
        select(Customer.id)
        .join(ContactPoint, ContactPoint.customer_id == Customer.id)
        .where(
            ContactPoint.tenant_id == DEFAULT_TENANT,
            ContactPoint.kind == _KIND_OF_CHANNEL.get(channel, ContactKind.PHONE),
            ContactPoint.value_norm == value_norm,
            Customer.status == CustomerStatus.ACTIVE,
        )
    )
    return (await session.scalars(query.order_by(Customer.id).limit(_MAX_SHARED))).all()


async def _newest(
    session: AsyncSession, customer_id: int, value_norm: str, channel: str, purpose: str
) -> ConsentFact | None:
    row = await session.scalar(
        select(Consent)
        .where(
            Consent.customer_id == customer_id,
            Consent.channel.in_([channel, "*"]),
            Consent.purpose.in_([purpose, "*"]),
            or_(Consent.value_norm.is_(None), Consent.value_norm == value_norm),
        )
        .order_by(Consent.captured_at.desc(), Consent.id.desc())
        .limit(1)
    )
    return None if row is None else ConsentFact(row.status, row.captured_at, row.until_at)


async def _zones(session: AsyncSession, customer_ids: Sequence[int], value_norm: str) -> list[str]:
    """Where the customers live as far as we were told; else wherever the number may be."""
    query = select(CustomerProfile.timezone).where(
        CustomerProfile.customer_id.in_(customer_ids), CustomerProfile.timezone.is_not(None)
    )
    told = sorted({zone for zone in await session.scalars(query) if zone})
    if told or not value_norm.startswith("+"):
        return told
    number = phonenumbers.parse(value_norm, None)
    zones = phonenumbers.timezone.time_zones_for_number(number)
    return [zone for zone in zones if zone != phonenumbers.timezone.UNKNOWN_TIMEZONE]


async def _wished(session: AsyncSession, customer_ids: Sequence[int], channel: str, purpose: str) -> WishedHours | None:
    """The hours the customer has asked for, when it is clear who the customer is. What agents dial is service."""
    if len(customer_ids) != 1:
        return None
    row = await session.scalar(
        select(ContactPreference).where(
            ContactPreference.customer_id == customer_ids[0],
            ContactPreference.purpose == ("service" if purpose == BY_HAND else purpose),
            ContactPreference.channel == channel,
        )
    )
    if row is None or row.from_minute is None or row.to_minute is None:
        return None
    return WishedHours(row.from_minute, row.to_minute, frozenset(WEEKDAYS.index(day) for day in row.weekdays))
