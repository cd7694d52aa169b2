"""Customers, their numbers and addresses: entering, reading, adding. ``matching`` and ``search`` find them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.errors import ContactPointExists, CustomerNotFound, InvalidContactPoint
from crm_bridge.ids import new_id
from crm_bridge.interactions import backfill
from crm_bridge.matching import Candidate, Match, lookup_by_number, lookup_parsed
from crm_bridge.models import ContactPoint, Customer, PhoneLookup, SearchTerm, TimelineEvent
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.phone_numbers import PhoneNumber, ShortCode, parse_phone
from crm_bridge.search import normalise_name, terms_of_name, terms_of_number, terms_of_text
from crm_bridge.vocabulary import ContactKind, ContactUsage, CustomerKind, CustomerStatus, TimelineKind

__all__ = [
    "Candidate",
    "Match",
    "NewContactPoint",
    "NewCustomer",
    "add_contact_point",
    "contact_points_of",
    "create_customer",
    "get_customer",
    "lookup_by_number",
]


@dataclass(frozen=True, slots=True)
class NewContactPoint:
    """A number or address as it was given."""

    value: str
    kind: ContactKind = ContactKind.PHONE
    usage: ContactUsage = ContactUsage.OTHER
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be entered. Without a mark, the first point of each kind becomes the primary one."""

    display_name: str
    kind: CustomerKind = CustomerKind.PERSON
    preferred_language: str | None = None
    level: str | None = None
    contact_points: tuple[NewContactPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class _Normal:
    """A contact point in comparable form. ``number`` only when it is a full phone number."""

    given: NewContactPoint
    value_norm: str
    number: PhoneNumber | None = None

    @property
    def terms(self) -> frozenset[str]:
        return terms_of_number(self.number) if self.number else terms_of_text(self.value_norm)


async def create_customer(
    session: AsyncSession, new: NewCustomer, *, region: str | None, now: datetime, actor_id: str | None = None
) -> Customer:
    """Enter a customer and give it the earlier interactions of its numbers that nobody else has.

    Raises ``InvalidContactPoint`` for a phone number or address that is none. The same number twice counts once.
    """
    points = list({(n.given.kind, n.value_norm): n for n in reversed(_normalised(new.contact_points, region))}.values())
    points.reverse()
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
    session.add(
        TimelineEvent(
            customer_id=customer.id, at=now, kind=TimelineKind.CUSTOMER_CREATED, ref_id=customer.id, actor_id=actor_id
        )
    )
    primaries = _primaries(points)
    for point in points:
        _add_point(session, customer.id, point, is_primary=point in primaries)
    terms = terms_of_name(customer.name_norm).union(*(point.terms for point in points))
    await _add_terms(session, customer.id, terms)
    await _claim_interactions(session, customer, points)
    return customer


async def get_customer(session: AsyncSession, customer_id: int) -> Customer:
    """The customer with this id. Raises ``CustomerNotFound``; an erased one counts as gone."""
    customer = await session.get(Customer, customer_id)
    if customer is None or customer.status is CustomerStatus.ERASED:
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
    point = _normalise(new, region, "body.value")
    same_kind = [row for row in await contact_points_of(session, customer_id) if row.kind is new.kind]
    if any(row.value_norm == point.value_norm for row in same_kind):
        raise ContactPointExists("the customer has this number or address already", where="body.value")
    is_primary = new.is_primary or not same_kind
    if is_primary:
        await _demote(session, customer_id, new.kind)
    row = _add_point(session, customer_id, point, is_primary=is_primary)
    await _add_terms(session, customer_id, point.terms)
    await _claim_interactions(session, customer, [point])
    return row


def _normalised(points: Iterable[NewContactPoint], region: str | None) -> list[_Normal]:
    return [_normalise(point, region, f"body.contact_points.{index}.value") for index, point in enumerate(points)]


def _normalise(point: NewContactPoint, region: str | None, where: str) -> _Normal:
    if point.kind is ContactKind.EMAIL:
        address = point.value.strip().casefold()
        local, at, domain = address.rpartition("@")
        if not (local and at and domain) or not address.isprintable() or " " in address:
            raise InvalidContactPoint("this is not an e-mail address", where=where)
        return _Normal(point, address)
    match parse_phone(point.value, region):
        case PhoneNumber() as number:
            return _Normal(point, number.normal_form, number)
        case ShortCode(digits=digits):
            return _Normal(point, digits)
        case _:
            raise InvalidContactPoint("this is not a phone number", where=where)


def _primaries(points: Sequence[_Normal]) -> list[_Normal]:
    """For each kind the first one marked, else the first one."""
    chosen: dict[ContactKind, _Normal] = {}
    for point in sorted(points, key=lambda point: not point.given.is_primary):
        chosen.setdefault(point.given.kind, point)
    return list(chosen.values())


def _add_point(session: AsyncSession, customer_id: int, point: _Normal, *, is_primary: bool) -> ContactPoint:
    number = point.number
    row = ContactPoint(
        id=new_id(),
        customer_id=customer_id,
        kind=point.given.kind,
        usage=point.given.usage,
        value_raw=point.given.value.strip(),
        value_norm=point.value_norm,
        phone_e164_int=number.e164_int if number else None,
        ext=number.ext if number else None,
        is_primary=is_primary,
    )
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


async def _demote(session: AsyncSession, customer_id: int, kind: ContactKind) -> None:
    """Take the primary mark away, before another row gets it."""
    await session.execute(
        update(ContactPoint)
        .where(ContactPoint.customer_id == customer_id, ContactPoint.kind == kind, ContactPoint.is_primary)
        .values(is_primary=False)
    )
    if kind is ContactKind.PHONE:
        await session.execute(update(PhoneLookup).where(PhoneLookup.customer_id == customer_id).values(rank=1))


async def _add_terms(session: AsyncSession, customer_id: int, terms: frozenset[str]) -> None:
    present = await session.scalars(select(SearchTerm.term).where(SearchTerm.customer_id == customer_id))
    missing = sorted(terms - frozenset(present))
    session.add_all([SearchTerm(tenant_id=DEFAULT_TENANT, term=term, customer_id=customer_id) for term in missing])
    await session.flush()


async def _claim_interactions(session: AsyncSession, customer: Customer, points: Sequence[_Normal]) -> None:
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
