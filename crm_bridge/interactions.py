"""The projection of the journal into the store: interactions and wrap-ups, written in any order, any number of times.

``journal_seq`` decides: an entry that is not newer than what the row stands at changes nothing. A batch of entries and
the cursor that says how far the batch reached are written in one transaction by the caller.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.ids import new_id
from crm_bridge.matching import lookup_parsed
from crm_bridge.models import Customer, Interaction, ProjectionCursor, TimelineEvent, WrapUp
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.phone_numbers import Parsed, Unparsable, parse_phone
from crm_bridge.vocabulary import Direction, MatchState, TimelineKind

MAX_BACKFILL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRecord:
    """One ended contact as the journal tells it. Instants are aware, durations are milliseconds.

    ``answered_at`` is the instant an agent answered. ``outcome``: answered, abandoned, abandoned_in_flow, failed,
    system_restart, closed_hours. ``ended_by``: customer, agent, system. ``flow_path`` are the menu choices taken.
    """

    contact_id: str
    call_id: str
    channel: str = "voice"
    direction: str = Direction.INBOUND
    outcome: str
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime
    from_value: str
    from_name: str = ""
    to_value: str
    customer_id: int | None = None
    match_state: str = MatchState.NONE
    queue_id: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    language: str | None = None
    flow_path: tuple[str, ...] = ()
    waited_ms: int = 0
    ring_ms: int = 0
    talk_ms: int = 0
    ended_by: str
    journal_seq: int


async def record(
    session: AsyncSession,
    record: InteractionRecord,
    *,
    region: str | None,
    own_numbers: frozenset[str] = frozenset(),
) -> int:
    """Write the interaction and its timeline entry; returns the interaction's id.

    A record without a customer is matched again here, so that a caller who was entered as a customer during the call,
    or whose lookup came too late, is found. A customer id that no row has counts as none.
    """
    row = await session.scalar(select(Interaction).where(Interaction.contact_id == record.contact_id))
    if row is not None and row.journal_seq >= record.journal_seq:
        return row.id
    party = _party(record, region, own_numbers)
    known = (row.customer_id, row.match_state) if row is not None else (None, MatchState.NONE)
    customer_id, match_state = await _whose(session, record, party, *known)
    is_new = row is None
    if row is None:
        row = Interaction(id=new_id(), contact_id=record.contact_id)
        session.add(row)
    _fill(row, record)
    row.party_norm, row.customer_id, row.match_state = party.normal_form, customer_id, match_state
    if customer_id is not None:
        await _link(session, row, customer_id, entry=None if is_new else await _entry_of(session, row))
    await session.flush()
    return row.id


async def complete_wrap_up(
    session: AsyncSession, contact_id: str, disposition: str, notes: str, wrapped_up_at: datetime, journal_seq: int
) -> None:
    """Write what the agent said afterwards. May come before the interaction itself."""
    row = await session.get(WrapUp, contact_id)
    if row is not None and row.journal_seq >= journal_seq:
        return
    if row is None:
        row = WrapUp(contact_id=contact_id)
        session.add(row)
    row.disposition, row.notes = disposition, notes
    row.wrapped_up_at, row.journal_seq = wrapped_up_at, journal_seq
    await session.flush()


async def backfill(session: AsyncSession, customer_id: int, party_norm: str, *, limit: int = MAX_BACKFILL) -> int:
    """Give the customer the newest ``limit`` interactions that show this number and belong to nobody.

    For the caller to make sure of: the customer is the only one with the number. Returns how many there were.
    """
    unmatched = await session.scalars(
        select(Interaction)
        .where(
            Interaction.tenant_id == DEFAULT_TENANT,
            Interaction.party_norm == party_norm,
            Interaction.customer_id.is_(None),
        )
        .order_by(Interaction.started_at.desc())
        .limit(limit)
    )
    rows = unmatched.all()
    for row in rows:
        row.customer_id, row.match_state = customer_id, MatchState.ONE
        await _link(session, row, customer_id, entry=None)
    await session.flush()
    return len(rows)


async def get_cursor(session: AsyncSession, name: str) -> int:
    """The last journal entry this reader has written; 0 when it has not begun."""
    row = await session.get(ProjectionCursor, name)
    return row.seq if row is not None else 0


async def set_cursor(session: AsyncSession, name: str, seq: int) -> None:
    """Remember how far this reader has come. Never goes back."""
    row = await session.get(ProjectionCursor, name)
    if row is None:
        session.add(ProjectionCursor(name=name, seq=seq))
    else:
        row.seq = max(row.seq, seq)
    await session.flush()


def _party(record: InteractionRecord, region: str | None, own_numbers: frozenset[str]) -> Parsed:
    """The customer's number; one of our own is nobody's."""
    parsed = parse_phone(record.from_value if record.direction == Direction.INBOUND else record.to_value, region)
    return Unparsable("own_number") if parsed.normal_form in own_numbers else parsed


async def _whose(
    session: AsyncSession,
    record: InteractionRecord,
    party: Parsed,
    known_customer_id: int | None,
    known_state: MatchState,
) -> tuple[int | None, MatchState]:
    """The customer and how sure that is: what the record says, else what the row knew, else what the number says."""
    told = MatchState(record.match_state)
    if record.customer_id is not None and await session.get(Customer, record.customer_id) is not None:
        return record.customer_id, told if told is MatchState.MANUAL else MatchState.ONE
    if known_customer_id is not None:
        return known_customer_id, known_state
    match = await lookup_parsed(session, party)
    return match.only_customer_id, match.state


def _fill(row: Interaction, record: InteractionRecord) -> None:
    row.call_id, row.channel, row.direction = record.call_id, record.channel, Direction(record.direction)
    row.outcome, row.ended_by = record.outcome, record.ended_by
    row.started_at, row.answered_at, row.ended_at = record.started_at, record.answered_at, record.ended_at
    row.from_value, row.from_name, row.to_value = record.from_value, record.from_name, record.to_value
    row.queue_id, row.agent_id, row.agent_name = record.queue_id, record.agent_id, record.agent_name
    row.language, row.flow_path = record.language, list(record.flow_path)
    row.waited_ms, row.ring_ms, row.talk_ms = record.waited_ms, record.ring_ms, record.talk_ms
    row.journal_seq = record.journal_seq


async def _entry_of(session: AsyncSession, row: Interaction) -> TimelineEvent | None:
    """The interaction's timeline entry; interactions of nobody have none."""
    query = select(TimelineEvent).where(TimelineEvent.kind == TimelineKind.INTERACTION, TimelineEvent.ref_id == row.id)
    entry: TimelineEvent | None = await session.scalar(query)
    return entry


async def _link(session: AsyncSession, row: Interaction, customer_id: int, *, entry: TimelineEvent | None) -> None:
    """Enter the interaction into the customer's timeline, and move the customer's last contact forward."""
    if entry is None:
        entry = TimelineEvent(kind=TimelineKind.INTERACTION, ref_id=row.id)
        session.add(entry)
    entry.customer_id, entry.at = customer_id, row.started_at
    entry.actor_id, entry.actor_name = row.agent_id, row.agent_name
    await session.execute(
        update(Customer)
        .where(
            Customer.id == customer_id,
            or_(Customer.last_contact_at.is_(None), Customer.last_contact_at < row.started_at),
        )
        .values(last_contact_at=row.started_at, updated_at=Customer.updated_at)
        .execution_options(synchronize_session=False)
    )
