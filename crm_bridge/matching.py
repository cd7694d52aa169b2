"""Who is calling: from a number to customers, all of them, best first. Nothing here ever picks one of several."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.cards import CardBadge
from crm_bridge.models import ContactPoint, Customer, CustomerLevel, PhoneLookup
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.phone_numbers import Parsed, PhoneNumber, ShortCode, Unparsable, parse_phone
from crm_bridge.ready_queries import Asked, ReadyQuery
from crm_bridge.visibility import may_see
from crm_bridge.vocabulary import ContactKind, CustomerKind, CustomerStatus, MatchState

MAX_CANDIDATES = 20
_OWN_NUMBER = Unparsable("own_number")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer who has the number."""

    customer_id: int
    kind: CustomerKind
    display_name: str
    preferred_language: str | None
    level: str | None
    last_contact_at: datetime | None
    badge: CardBadge | None = None
    """The level as people see it, where ``with_badges`` was asked."""


@dataclass(frozen=True, slots=True)
class Match:
    """The answer. ``state`` is none, one or many; ``more`` says that further customers share the number.

    ``number`` is the normal form that was looked up, ``None`` when the raw text is no number or one of our own.
    """

    state: MatchState
    number: str | None
    candidates: tuple[Candidate, ...] = ()
    more: bool = False

    @property
    def only_customer_id(self) -> int | None:
        """The customer when there is exactly one."""
        return self.candidates[0].customer_id if self.state is MatchState.ONE else None


def party_of(raw_number: str, region: str | None, own_numbers: frozenset[str]) -> Parsed:
    """The number of a customer; one of our own (``phone_numbers.normal_forms``) is nobody's."""
    parsed = parse_phone(raw_number, region)
    return _OWN_NUMBER if parsed.normal_form in own_numbers else parsed


async def lookup_by_number(
    session: Asked, raw_number: str, *, region: str | None, own_numbers: frozenset[str] = frozenset()
) -> Match:
    """The active customers with this number: last contact first, then those whose primary number it is.

    ``own_numbers`` are normal forms (``phone_numbers.normal_forms``) that never match: a call that shows the company's
    own number says nothing about the customer.
    """
    return await lookup_parsed(session, party_of(raw_number, region, own_numbers))


async def lookup_parsed(session: Asked, parsed: Parsed) -> Match:
    """The same for a number that is parsed already."""
    match parsed:
        case PhoneNumber(e164_int=e164_int):
            rows = await _BY_E164.rows(session, key=e164_int)
        case ShortCode(digits=digits):
            rows = await _BY_SHORT_CODE.rows(session, key=digits)
        case _:
            return Match(MatchState.NONE, None)
    candidates = tuple(Candidate(*row) for row in rows[:MAX_CANDIDATES])
    state = (MatchState.NONE, MatchState.ONE, MatchState.MANY)[min(len(rows), 2)]
    return Match(state, parsed.normal_form, candidates, more=len(rows) > MAX_CANDIDATES)


async def without_hidden(session: AsyncSession, match: Match) -> Match:
    """The same for the eyes of the person asking: customers of other people's teams are not named."""
    seen = tuple([each for each in match.candidates if await may_see(session, each.customer_id)])
    return match if len(seen) == len(match.candidates) else replace(match, candidates=seen, more=True)


async def with_badges(session: AsyncSession, match: Match) -> Match:
    """The same with what the candidates' levels look like."""
    codes = {each.level for each in match.candidates if each.level}
    if not codes:
        return match
    rows = await session.scalars(select(CustomerLevel).where(CustomerLevel.code.in_(codes)))
    badges = {row.code: CardBadge(row.name, row.rank, row.colour) for row in rows}
    shown = tuple(replace(each, badge=badges.get(each.level or "")) for each in match.candidates)
    return replace(match, candidates=shown)


def _active_customers() -> Select[int, CustomerKind, str, str | None, str | None, datetime | None]:
    return (
        select(
            Customer.id,
            Customer.kind,
            Customer.display_name,
            Customer.preferred_language,
            Customer.level,
            Customer.last_contact_at,
        )
        .where(Customer.status == CustomerStatus.ACTIVE)
        .order_by(Customer.last_contact_at.desc().nulls_last())
        .limit(MAX_CANDIDATES + 1)
    )


_BY_E164 = ReadyQuery(
    _active_customers()
    .join(PhoneLookup, PhoneLookup.customer_id == Customer.id)
    .where(PhoneLookup.phone_e164_int == bindparam("key"), PhoneLookup.tenant_id == DEFAULT_TENANT)
    .order_by(PhoneLookup.rank, Customer.id)
)
_BY_SHORT_CODE = ReadyQuery(
    _active_customers()
    .join(ContactPoint, ContactPoint.customer_id == Customer.id)
    .where(
        ContactPoint.tenant_id == DEFAULT_TENANT,
        ContactPoint.kind == ContactKind.PHONE,
        ContactPoint.value_norm == bindparam("key"),
    )
    .order_by(ContactPoint.is_primary.desc(), Customer.id)
)
