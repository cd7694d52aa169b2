"""Writing a batch of journal records with a handful of statements, whatever the size of the batch.

Everything the records may refer to is read first: the interactions that are there, the customers that are named, the
owners of the numbers that are shown. Then the records are folded one after the other, as if each had been written
alone, and only what came out is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.ids import new_id
from crm_bridge.late_arrivals import blank_late_arrivals
from crm_bridge.line_quality import write_line_quality
from crm_bridge.matching import party_of
from crm_bridge.mergers import survivors_of
from crm_bridge.models import ContactPoint, Customer, Interaction, PhoneLookup, TimelineEvent, WrapUp
from crm_bridge.models.base import DEFAULT_TENANT, storable, utc_now
from crm_bridge.parents import forget_parents, write_parents
from crm_bridge.phone_numbers import Parsed, PhoneNumber, ShortCode
from crm_bridge.ready_queries import ReadyQuery, among_keys
from crm_bridge.recordings import write_recordings
from crm_bridge.records import (
    InteractionRecord,
    LineQualityRecord,
    Record,
    RecordingStartRecord,
    RecordingStoredRecord,
    SurveyRecord,
    VoicemailMovedRecord,
    VoicemailRecord,
    VoicemailWorkedRecord,
    WrapUpRecord,
)
from crm_bridge.row_writing import Upsert, insert_rows, move_last_contacts
from crm_bridge.survey_responses import write_surveys
from crm_bridge.vocabulary import ContactKind, CustomerStatus, Direction, MatchState, TimelineKind
from crm_bridge.voicemails import write_voicemails

_KEYS_IN_A_QUERY = 500
_STANDINGS = ReadyQuery(
    select(
        Interaction.contact_id,
        Interaction.id,
        Interaction.journal_seq,
        Interaction.customer_id,
        Interaction.match_state,
    ).where(among_keys(Interaction.contact_id))
)
_OWNERS_OF_NUMBERS = ReadyQuery(
    select(PhoneLookup.phone_e164_int, func.count(), func.min(PhoneLookup.customer_id))
    .join(Customer, Customer.id == PhoneLookup.customer_id)
    .where(PhoneLookup.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    .where(among_keys(PhoneLookup.phone_e164_int))
    .group_by(PhoneLookup.phone_e164_int)
)
_OWNERS_OF_CODES = ReadyQuery(
    select(ContactPoint.value_norm, func.count(), func.min(ContactPoint.customer_id))
    .join(Customer, Customer.id == ContactPoint.customer_id)
    .where(
        ContactPoint.tenant_id == DEFAULT_TENANT,
        ContactPoint.kind == ContactKind.PHONE,
        Customer.status == CustomerStatus.ACTIVE,
        among_keys(ContactPoint.value_norm),
    )
    .group_by(ContactPoint.value_norm)
)
_WRAP_UPS = Upsert(
    WrapUp,
    ("tenant_id", "contact_id", "disposition", "notes", "wrapped_up_at", "journal_seq", "created_at", "updated_at"),
    key=("contact_id",),
    changes=("disposition", "notes", "wrapped_up_at", "journal_seq", "updated_at"),
    newer="journal_seq",
)

Entry = tuple[int, int, datetime, str | None, str | None]
"""For a timeline: interaction, customer, instant, agent, agent's name."""


@dataclass(slots=True)
class _Standing:
    """An interaction while a batch is folded: what the store had, and what the records made of it."""

    id: int
    journal_seq: int
    stored_customer_id: int | None
    customer_id: int | None
    match_state: MatchState
    is_stored: bool
    record: InteractionRecord | None = None
    party_norm: str | None = None


_OF_A_MESSAGE = VoicemailWorkedRecord | VoicemailMovedRecord
"""Records that name a message and no contact."""


@dataclass(slots=True)
class _Known:
    """What was read before folding. ``customers`` leads from a named customer to the living one, ``owners`` counts
    active customers by the normal form of their number."""

    standings: dict[str, _Standing]
    customers: Mapping[int, int]
    owners: Mapping[str, tuple[int, int]]
    last_contacts: dict[int, datetime] = field(default_factory=dict)


async def record_batch(
    session: AsyncSession,
    records: Sequence[Record],
    *,
    region: str | None,
    own_numbers: frozenset[str] = frozenset(),
) -> dict[str, int]:
    """Write records in the order given; the rows are those that writing each alone would leave.

    Returns the interactions' ids by contact id. A record without a customer is matched by its number, so that a caller
    who was entered as a customer during the call, or whose lookup came too late, is found. A customer id that no row
    has counts as none. The caller commits, together with the cursor.
    """
    calls = [each for each in records if isinstance(each, InteractionRecord)]
    wrap_ups = [each for each in records if isinstance(each, WrapUpRecord)]
    ids: dict[str, int] = {}
    if calls:
        parties = [_party(each, region, own_numbers) for each in calls]
        known = _Known(
            standings=await _standings(session, calls),
            customers=await _named_customers(session, calls),
            owners=await _owners(session, parties),
        )
        for each, party in zip(calls, parties, strict=True):
            ids[each.contact_id] = _fold(known, each, party)
        await _write(session, [standing for standing in known.standings.values() if standing.record is not None])
        await move_last_contacts(session, known.last_contacts)
    if wrap_ups:
        await _write_wrap_ups(session, wrap_ups)
    await write_recordings(
        session, [each for each in records if isinstance(each, RecordingStartRecord | RecordingStoredRecord)]
    )
    await write_voicemails(session, [each for each in records if isinstance(each, VoicemailRecord | _OF_A_MESSAGE)])
    await write_line_quality(session, [each for each in records if isinstance(each, LineQualityRecord)])
    await write_surveys(session, [each for each in records if isinstance(each, SurveyRecord)])
    told = [storable(each.contact_id) for each in records if not isinstance(each, _OF_A_MESSAGE)]
    await blank_late_arrivals(session, told)
    return ids


def _party(record: InteractionRecord, region: str | None, own_numbers: frozenset[str]) -> Parsed:
    """The customer's number."""
    return party_of(
        record.from_value if record.direction == Direction.INBOUND else record.to_value, region, own_numbers
    )


def _fold(known: _Known, record: InteractionRecord, party: Parsed) -> int:
    """Let one record say what it has to say; the interaction's id."""
    key = storable(record.contact_id)
    standing = known.standings.get(key)
    if standing is None:
        standing = _Standing(new_id(), -1, None, None, MatchState.NONE, is_stored=False)
        known.standings[key] = standing
    elif standing.journal_seq >= record.journal_seq:
        return standing.id
    standing.customer_id, standing.match_state = _whose(known, record, standing, party)
    standing.journal_seq, standing.record, standing.party_norm = record.journal_seq, record, party.normal_form
    if standing.customer_id is not None:
        latest = known.last_contacts.get(standing.customer_id, record.started_at)
        known.last_contacts[standing.customer_id] = max(latest, record.started_at)
    return standing.id


def _whose(
    known: _Known, record: InteractionRecord, standing: _Standing, party: Parsed
) -> tuple[int | None, MatchState]:
    """The customer and how sure that is: what the record says, else what the row knew, else what the number says."""
    told = MatchState(record.match_state)
    named = known.customers.get(record.customer_id) if record.customer_id is not None else None
    if named is not None:
        return named, told if told is MatchState.MANUAL else MatchState.ONE
    if standing.customer_id is not None:
        return standing.customer_id, standing.match_state
    count, customer_id = known.owners.get(party.normal_form or "", (0, 0))
    return (customer_id, MatchState.ONE) if count == 1 else (None, MatchState.MANY if count else MatchState.NONE)


async def _standings(session: AsyncSession, calls: Sequence[InteractionRecord]) -> dict[str, _Standing]:
    found: dict[str, _Standing] = {}
    for keys in _portions({storable(each.contact_id) for each in calls}):
        for key, row_id, seq, customer_id, state in await _STANDINGS.rows(session, keys=keys):
            found[key] = _Standing(row_id, seq, customer_id, customer_id, state, is_stored=True)
    return found


async def _named_customers(session: AsyncSession, calls: Sequence[InteractionRecord]) -> dict[int, int]:
    """The customers that the records name, each as itself or as the one it has become part of."""
    named = {each.customer_id for each in calls if each.customer_id is not None}
    found: dict[int, int] = {}
    for keys in _portions(named):
        found |= await survivors_of(session, keys)
    return found


async def _owners(session: AsyncSession, parties: Iterable[Parsed]) -> dict[str, tuple[int, int]]:
    """How many active customers have each number, and one of them."""
    distinct = set(parties)
    owners: dict[str, tuple[int, int]] = {}
    for numbers in _portions({each.e164_int for each in distinct if isinstance(each, PhoneNumber)}):
        for number, count, first in await _OWNERS_OF_NUMBERS.rows(session, keys=numbers):
            owners[f"+{number}"] = (count, first)
    for codes in _portions({each.digits for each in distinct if isinstance(each, ShortCode)}):
        for code, count, first in await _OWNERS_OF_CODES.rows(session, keys=codes):
            owners[code] = (count, first)
    return owners


async def _write(session: AsyncSession, changed: Sequence[_Standing]) -> None:
    now = utc_now()
    table = _table(Interaction)
    fresh = [_columns(each) | _stamps(each, now) for each in changed if not each.is_stored]
    await insert_rows(session, table, fresh)
    await write_parents(session, [each.record for each in changed if each.record is not None])
    stored = [_columns(each) | {"row_id": each.id, "updated_at": now} for each in changed if each.is_stored]
    if stored:
        await session.execute(update(table).where(table.c.id == bindparam("row_id")), stored)
        await forget_parents(session, [each.record for each in changed if each.record is not None and each.is_stored])
    await _write_timeline(session, changed)


async def _write_timeline(session: AsyncSession, changed: Sequence[_Standing]) -> None:
    """One entry for each interaction that has a customer; that of a corrected one moves."""
    owned = [(each, entry) for each in changed if (entry := _entry(each)) is not None]
    await enter_in_timelines(session, [entry for each, entry in owned if each.stored_customer_id is None])
    moved = [entry for each, entry in owned if each.stored_customer_id is not None]
    if moved:
        table = _table(TimelineEvent)
        here = (table.c.kind == TimelineKind.INTERACTION.value) & (table.c.ref_id == bindparam("ref"))
        await session.execute(update(table).where(here), [{"ref": entry[0], **_told(entry)} for entry in moved])


async def enter_in_timelines(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write timeline entries of interactions that have none yet."""
    rows = [
        {"id": new_id(), "tenant_id": DEFAULT_TENANT, "kind": TimelineKind.INTERACTION.value, "ref_id": entry[0]}
        | _told(entry)
        for entry in entries
    ]
    await insert_rows(session, _table(TimelineEvent), rows)


async def _write_wrap_ups(session: AsyncSession, wrap_ups: Sequence[WrapUpRecord]) -> None:
    now = utc_now()
    newest: dict[str, WrapUpRecord] = {}
    for each in wrap_ups:
        key = storable(each.contact_id)
        if key not in newest or newest[key].journal_seq < each.journal_seq:
            newest[key] = each
    rows = [
        {
            "tenant_id": DEFAULT_TENANT,
            "contact_id": each.contact_id,
            "disposition": each.disposition,
            "notes": each.notes,
            "wrapped_up_at": each.wrapped_up_at,
            "journal_seq": each.journal_seq,
            "created_at": now,
            "updated_at": now,
        }
        for each in newest.values()
    ]
    await _WRAP_UPS.write(session, rows)


def _columns(standing: _Standing) -> dict[str, Any]:
    record = standing.record
    assert record is not None  # noqa: S101 - only standings that a record changed are written
    return {
        "call_id": record.call_id,
        "channel": record.channel,
        "direction": Direction(record.direction),
        "outcome": record.outcome,
        "started_at": record.started_at,
        "answered_at": record.answered_at,
        "ended_at": record.ended_at,
        "from_value": record.from_value,
        "from_name": record.from_name,
        "to_value": record.to_value,
        "diverted_from": record.diverted_from,
        "party_norm": standing.party_norm,
        "customer_id": standing.customer_id,
        "match_state": standing.match_state,
        "queue_id": record.queue_id,
        "agent_id": record.agent_id,
        "agent_name": record.agent_name,
        "language": record.language,
        "flow_path": list(record.flow_path),
        "waited_ms": record.waited_ms,
        "ring_ms": record.ring_ms,
        "talk_ms": record.talk_ms,
        "ended_by": record.ended_by,
        "journal_seq": record.journal_seq,
    }


def _stamps(standing: _Standing, now: datetime) -> dict[str, Any]:
    record = standing.record
    return {
        "id": standing.id,
        "tenant_id": DEFAULT_TENANT,
        "contact_id": record.contact_id if record else "",
        "created_at": now,
        "updated_at": now,
    }


def _entry(standing: _Standing) -> Entry | None:
    record, customer_id = standing.record, standing.customer_id
    if record is None or customer_id is None:
        return None
    return standing.id, customer_id, record.started_at, record.agent_id, record.agent_name


def _told(entry: Entry) -> dict[str, Any]:
    _, customer_id, at, actor_id, actor_name = entry
    return {"customer_id": customer_id, "at": at, "actor_id": actor_id, "actor_name": actor_name}


def _portions(keys: Iterable[Any]) -> Iterable[list[Any]]:
    """Keys in portions that fit into one statement on both databases."""
    ordered = sorted(keys)
    return [ordered[start : start + _KEYS_IN_A_QUERY] for start in range(0, len(ordered), _KEYS_IN_A_QUERY)]


def _table(model: type[Any]) -> Table:
    table: Table = model.__table__
    return table
