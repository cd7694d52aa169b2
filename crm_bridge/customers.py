"""Customers, their numbers and addresses: entering, reading, adding. ``matching`` and ``search`` find them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.backfill import backfill
from crm_bridge.contact_points import NewContactPoint, NormalPoint, distinct_points, normalise_point, primary_marks
from crm_bridge.errors import ContactPointExists, CustomerNotFound
from crm_bridge.ids import new_id
from crm_bridge.matching import Candidate, Match, lookup_by_number, lookup_parsed
from crm_bridge.models import ContactPoint, Customer, CustomerProfile, PhoneLookup, SearchText, TimelineEvent
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.phone_numbers import ShortCode
from crm_bridge.search_texts import normalise_name, text_of
from crm_bridge.visibility import may_see
from crm_bridge.vocabulary import ContactKind, CustomerKind, CustomerStatus, TimelineKind

__all__ = [
    "Candidate",
    "Match",
    "NewContactPoint",
    "NewCustomer",
    "add_contact_point",
    "contact_points_of",
    "create_customer",
    "demote",
    "get_customer",
    "lookup_by_number",
    "write_search_text",
]


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be entered. Without a mark, the first point of each kind becomes the primary one."""

    display_name: str
    kind: CustomerKind = CustomerKind.PERSON
    preferred_language: str | None = None
    level: str | None = None
    contact_points: tuple[NewContactPoint, ...] = ()
    identities: tuple[tuple[str, str], ...] = ()
    """Names elsewhere: provider and number. What somebody else has already stays with them."""


async def create_customer(
    session: AsyncSession, new: NewCustomer, *, region: str | None, now: datetime, actor_id: str | None = None
) -> Customer:
    """Enter a customer and give it the earlier interactions of its numbers that nobody else has.

    Raises ``InvalidContactPoint`` for a phone number or address that is none. The same number twice counts once.
    """
    points = distinct_points(new.contact_points, region)
    customer = Customer(
        id=new_id(),
        kind=new.kind,
        display_name=new.display_name.strip(),
        name_norm=normalise_name(new.display_name),
        preferred_language=new.preferred_language,
        level=new.level,
        created_at=now,
    )
    session.add(customer)
    await session.flush()
    if new.level is not None:  # the daily rules leave alone what somebody chose
        session.add(CustomerProfile(customer_id=customer.id, level_is_manual=True, custom={}))
    session.add(
        TimelineEvent(
            customer_id=customer.id, at=now, kind=TimelineKind.CUSTOMER_CREATED, ref_id=customer.id, actor_id=actor_id
        )
    )
    for point, is_primary in zip(points, primary_marks(points), strict=True):
        _add_point(session, customer.id, point, is_primary=is_primary)
    session.add(SearchText(customer_id=customer.id, text=_search_text(customer.name_norm, points)))
    await session.flush()
    await _claim_interactions(session, customer, points)
    return customer


async def get_customer(session: AsyncSession, customer_id: int) -> Customer:
    """The customer with this id. Raises ``CustomerNotFound``; an erased one counts as gone, and so does one of a team
    that the person asking is not in."""
    customer = await session.get(Customer, customer_id)
    if customer is None or customer.status is CustomerStatus.ERASED or not await may_see(session, customer_id):
        raise CustomerNotFound("no customer has this id", where="path.customer_id")
    return customer


async def contact_points_of(session: AsyncSession, customer_id: int) -> Sequence[ContactPoint]:
    """The customer's numbers and addresses, primary ones first, then as they were entered."""
    query = select(ContactPoint).where(ContactPoint.customer_id == customer_id)
    return (await session.scalars(query.order_by(ContactPoint.is_primary.desc(), ContactPoint.id))).all()


async def add_contact_point(
    session: AsyncSession, customer_id: int, new: NewContactPoint, *, region: str | None
) -> ContactPoint:
    """Add a number or address. A primary one takes the mark from the present one; interactions follow.

    Raises ``CustomerNotFound``, ``InvalidContactPoint`` and ``ContactPointExists``.
    """
    customer = await get_customer(session, customer_id)
    point = normalise_point(new, region, "body.value")
    same_kind = [row for row in await contact_points_of(session, customer_id) if row.kind is new.kind]
    if any(row.value_norm == point.value_norm for row in same_kind):
        raise ContactPointExists("the customer has this number or address already", where="body.value")
    is_primary = new.is_primary or not same_kind
    if is_primary:
        await demote(session, customer_id, new.kind)
    row = _add_point(session, customer_id, point, is_primary=is_primary)
    await write_search_text(session, customer)
    await _claim_interactions(session, customer, [point])
    return row


def _add_point(session: AsyncSession, customer_id: int, point: NormalPoint, *, is_primary: bool) -> ContactPoint:
    number = point.number
    row = ContactPoint(id=new_id(), customer_id=customer_id, **point.columns(is_primary))
    session.add(row)
    if number:
        session.add(
            PhoneLookup(
                phone_e164_int=number.e164_int,
                tenant_id=DEFAULT_TENANT,
                customer_id=customer_id,
                rank=0 if is_primary else 1,
            )
        )
    return row


async def demote(session: AsyncSession, customer_id: int, kind: ContactKind) -> None:
    """Take the primary mark away, before another row gets it."""
    await session.execute(
        update(ContactPoint)
        .where(ContactPoint.customer_id == customer_id, ContactPoint.kind == kind, ContactPoint.is_primary)
        .values(is_primary=False)
    )
    if kind is ContactKind.PHONE:
        await session.execute(update(PhoneLookup).where(PhoneLookup.customer_id == customer_id).values(rank=1))


async def write_search_text(session: AsyncSession, customer: Customer) -> None:
    """Bring the search text up to date with the name and the contact points."""
    await session.flush()
    words = _search_text(customer.name_norm, await contact_points_of(session, customer.id))
    row = await session.get(SearchText, customer.id)
    if row is None:
        session.add(SearchText(customer_id=customer.id, text=words))
    else:
        row.text = words
    await session.flush()


def _search_text(name_norm: str, points: Iterable[ContactPoint | NormalPoint]) -> str:
    return text_of(name_norm, (point.value_norm for point in points))


async def _claim_interactions(session: AsyncSession, customer: Customer, points: Sequence[NormalPoint]) -> None:
    """Back-fill for each phone number that is this customer's alone."""
    claimed = 0
    for point in points:
        if point.given.kind is not ContactKind.PHONE:
            continue
        match = await lookup_parsed(session, point.number or ShortCode(point.value_norm))
        if match.only_customer_id == customer.id:
            claimed += await backfill(session, customer.id, point.value_norm)
    if claimed:
        await session.refresh(customer, ["last_contact_at"])
