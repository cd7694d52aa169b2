"""Duplicates: seen when a customer is entered, and searched for among all customers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import Editing
from crm_bridge.contact_points import NormalPoint, distinct_points
from crm_bridge.customers import NewCustomer, add_contact_point, contact_points_of, create_customer
from crm_bridge.errors import DuplicateCustomer, ItemNotFound
from crm_bridge.identity_numbers import DIGESTED
from crm_bridge.ids import new_id
from crm_bridge.linkage import Link, LinkRecord, candidate_pairs, learn
from crm_bridge.models import Collision, ContactPoint, Customer, CustomerProfile, DuplicateCandidate
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.record_parts import add_identity, find_identity
from crm_bridge.search_texts import CJK, normalise_name
from crm_bridge.visibility import hidden_from, may_see
from crm_bridge.vocabulary import ContactKind, CustomerStatus, DuplicateState, OnDuplicate

CERTAIN_BITS = 0.0
"""From this score on a pair is more likely one person than two."""

_MAX_COLLISIONS = 10


@dataclass(frozen=True, slots=True)
class Suspect:
    """A customer who seems to be the one that is being entered, and what the two have in common."""

    customer_id: int
    display_name: str
    owner_id: str | None
    signals: tuple[str, ...]

    @property
    def is_strong(self) -> bool:
        """The same name and the same number or address: hardly a coincidence, or a relative. Or the same identity card,
        which two people never have."""
        return ("name" in self.signals and len(self.signals) > 1) or not DIGESTED.isdisjoint(self.signals)


async def find_collisions(session: AsyncSession, new: NewCustomer, *, region: str | None) -> list[Suspect]:
    """Who is there already: by number, by address, by identity card or another name elsewhere, by name; those with most
    in common first.

    A name alone is no collision: there are many of the same name.
    """
    name_norm = normalise_name(new.display_name)
    points = distinct_points(new.contact_points, region)
    signals: dict[int, set[str]] = {}
    for customer_id, kind in await _who_shares(session, points):
        signals.setdefault(customer_id, set()).add(str(kind))
    for provider, external_id in new.identities:
        if (row := await find_identity(session, provider, external_id)) is not None:
            signals.setdefault(row.customer_id, set()).add(provider)
    if not signals:
        return []
    query = (
        select(Customer.id, Customer.display_name, Customer.name_norm, CustomerProfile.owner_id)
        .outerjoin(CustomerProfile, CustomerProfile.customer_id == Customer.id)
        .where(Customer.id.in_(signals), Customer.status == CustomerStatus.ACTIVE)
    )
    found = []
    for customer_id, display_name, theirs, owner_id in await session.execute(query):
        same = signals[customer_id] | ({"name"} if theirs == name_norm else set())
        found.append(Suspect(customer_id, display_name, owner_id, tuple(sorted(same))))
    return sorted(found, key=lambda suspect: (-len(suspect.signals), suspect.customer_id))[:_MAX_COLLISIONS]


async def enter_customer(
    session: AsyncSession,
    new: NewCustomer,
    *,
    on_duplicate: OnDuplicate,
    region: str | None,
    now: datetime,
    actor_id: str | None,
) -> tuple[Customer, list[Suspect]]:
    """Enter a customer as ``create_customer`` does, after looking whether it is there already.

    Every collision is written down with both owners. ``LINK`` gives the numbers to the one strong suspect instead.
    Raises ``DuplicateCustomer``: with ``BLOCK`` for any strong suspect, with ``LINK`` when there are several.
    """
    suspects = await find_collisions(session, new, region=region)
    strong = [suspect for suspect in suspects if suspect.is_strong]
    if on_duplicate is OnDuplicate.LINK and len(strong) == 1:
        customer = await session.get_one(Customer, strong[0].customer_id)
        await _add_missing_points(session, customer, new, region)
        await _add_identities(session, customer, new, now, actor_id)
        _write_down(session, strong, None, OnDuplicate.LINK, now, actor_id)
        await session.flush()
        return customer, strong
    if strong and on_duplicate is not OnDuplicate.WARN:
        first = strong[0]
        raise DuplicateCustomer(
            f"customer {first.customer_id} is there already; owner {first.owner_id or 'nobody'}, "
            f"entered again by {actor_id or 'nobody'}",
            where="body",
        )
    customer = await create_customer(session, new, region=region, now=now, actor_id=actor_id)
    await _add_identities(session, customer, new, now, actor_id)
    _write_down(session, suspects, customer.id, OnDuplicate.WARN, now, actor_id)
    await session.flush()
    return customer, suspects


async def note_refusal(
    session: AsyncSession, new: NewCustomer, *, region: str | None, now: datetime, actor_id: str | None
) -> None:
    """Write down a collision that was refused; for a unit of work of its own, since the refused one is undone."""
    suspects = await find_collisions(session, new, region=region)
    _write_down(session, [each for each in suspects if each.is_strong], None, OnDuplicate.BLOCK, now, actor_id)
    await session.flush()


async def propose(session: AsyncSession, links: Iterable[Link]) -> int:
    """Put pairs on the list to be decided about; returns how many are new. Those decided about stay decided."""
    known = {(row.a_id, row.b_id): row for row in await session.scalars(select(DuplicateCandidate))}
    fresh = 0
    for link in links:
        pair = (min(link.left, link.right), max(link.left, link.right))
        row = known.get(pair)
        if row is None:
            fresh += 1
            row = DuplicateCandidate(id=new_id(), a_id=pair[0], b_id=pair[1], state=DuplicateState.OPEN)
            session.add(row)
        row.score, row.signals = round(link.score, 2), dict(link.signals)
    await session.flush()
    return fresh


async def open_candidates(session: AsyncSession, limit: int) -> Sequence[DuplicateCandidate]:
    """What is to be decided, the most certain first."""
    query = select(DuplicateCandidate).where(DuplicateCandidate.state == DuplicateState.OPEN)
    for column in (DuplicateCandidate.a_id, DuplicateCandidate.b_id):
        hidden = hidden_from(session, column)
        query = query if hidden is None else query.where(~hidden)
    ordered = query.order_by(DuplicateCandidate.score.desc(), DuplicateCandidate.id)
    return (await session.scalars(ordered.limit(limit))).all()


async def decide(
    session: AsyncSession, candidate_id: int, state: DuplicateState, actor_id: str | None
) -> DuplicateCandidate:
    """Say what the two are. Raises ``ItemNotFound``."""
    row = await session.get(DuplicateCandidate, candidate_id)
    if row is None or not (await may_see(session, row.a_id) and await may_see(session, row.b_id)):
        raise ItemNotFound("there is no such candidate", where="path.candidate_id")
    row.state, row.decided_by = state, actor_id
    await session.flush()
    return row


async def link_records(session: AsyncSession, limit: int) -> list[LinkRecord]:
    """The newest active customers as they are compared."""
    query = (
        select(
            Customer.id,
            Customer.name_norm,
            CustomerProfile.given_name,
            CustomerProfile.family_name,
            CustomerProfile.birth_date,
            CustomerProfile.address,
        )
        .outerjoin(CustomerProfile, CustomerProfile.customer_id == Customer.id)
        .where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
        .order_by(Customer.id.desc())
        .limit(limit)
    )
    customers = (await session.execute(query)).all()
    points = select(ContactPoint.customer_id, ContactPoint.kind, ContactPoint.value_norm)
    if customers:
        points = points.where(ContactPoint.customer_id >= customers[-1].id)
    values: dict[tuple[int, ContactKind], set[str]] = {}
    for customer_id, kind, value in await session.execute(points):
        values.setdefault((customer_id, kind), set()).add(value)
    records = []
    for customer_id, name_norm, given, family, birth_date, address in customers:
        first, last = split_name(name_norm)
        records.append(
            LinkRecord(
                id=customer_id,
                first_name=normalise_name(given) if given else first,
                last_name=normalise_name(family) if family else last,
                birth_date=birth_date.isoformat() if birth_date else "",
                city=normalise_name(address or ""),
                emails=frozenset(values.get((customer_id, ContactKind.EMAIL), ())),
                phones=frozenset(values.get((customer_id, ContactKind.PHONE), ())),
            )
        )
    return records


def split_name(name_norm: str) -> tuple[str, str]:
    """Given and family name of a display name: the last word, or the first character of a Chinese name, is the
    family's."""
    if CJK.match(name_norm) and " " not in name_norm and len(name_norm) <= 4:
        return name_norm[1:], name_norm[:1]
    first, _, last = name_norm.rpartition(" ")
    return first, last


def find_links(records: Sequence[LinkRecord], at_least: float = CERTAIN_BITS) -> list[Link]:
    """Pairs that are more likely one person than two. Takes a second for a thousand records: not for an event loop."""
    linker = learn(records)
    links = (linker.compare(a, b) for a, b in candidate_pairs(records))
    return [link for link in links if link.score >= at_least]


async def _who_shares(session: AsyncSession, points: Iterable[NormalPoint]) -> list[tuple[int, ContactKind]]:
    found: list[tuple[int, ContactKind]] = []
    for point in points:
        query = select(ContactPoint.customer_id, ContactPoint.kind).where(
            ContactPoint.tenant_id == DEFAULT_TENANT,
            ContactPoint.kind == point.given.kind,
            ContactPoint.value_norm == point.value_norm,
        )
        rows = await session.execute(query.limit(_MAX_COLLISIONS * 5))
        found += [(customer_id, kind) for customer_id, kind in rows]
    return found


async def _add_missing_points(session: AsyncSession, customer: Customer, new: NewCustomer, region: str | None) -> None:
    present = {(row.kind, row.value_norm) for row in await contact_points_of(session, customer.id)}
    for point in distinct_points(new.contact_points, region):
        if (point.given.kind, point.value_norm) not in present:
            await add_contact_point(session, customer.id, point.given, region=region)


async def _add_identities(
    session: AsyncSession, customer: Customer, new: NewCustomer, now: datetime, actor_id: str | None
) -> None:
    """Those that nobody has; what another customer has is told as a collision."""
    for provider, external_id in new.identities:
        if await find_identity(session, provider, external_id) is None:
            await add_identity(session, customer, provider, external_id, Editing(now, actor_id))


def _write_down(
    session: AsyncSession,
    suspects: Iterable[Suspect],
    created_id: int | None,
    outcome: OnDuplicate,
    now: datetime,
    actor_id: str | None,
) -> None:
    session.add_all(
        [
            Collision(
                id=new_id(),
                at=now,
                existing_id=suspect.customer_id,
                existing_owner=suspect.owner_id,
                entered_by=actor_id,
                created_id=created_id,
                signals=list(suspect.signals),
                outcome=outcome.value,
            )
            for suspect in suspects
        ]
    )
