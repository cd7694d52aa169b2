"""Why something is known about a customer: for each thing a record shows, who wrote it, when, from where, and on which
legal ground it is kept.

Nothing is written down for it: changes of fields, the audit log, imports and merges tell. Values are not in the answer,
and fields of a sensitive class are not either: of those the access log tells.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import as_text
from crm_bridge.field_bases import Ground, Grounds, grounds
from crm_bridge.models import (
    AuditEntry,
    Consent,
    ContactPoint,
    CustomerChange,
    ImportedCustomer,
    ImportJob,
    Interaction,
    MergeEvent,
    MergeItem,
    TimelineEvent,
)
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.privacy_rules import SENSITIVE
from crm_bridge.profiles import OF_CUSTOMER, OF_PROFILE, CustomerRecord, load_record
from crm_bridge.vocabulary import ConsentStatus, SourceKind, TimelineKind

AFTERWARDS = timedelta(minutes=30)
"""So long after a contact what its agent writes about the customer comes from it."""
_LONGEST_CONTACT = timedelta(hours=12)
_CHANGES = 2000
_PROGRAM = "token:"
_PRODUCT = "system"
_LISTS = ("preferences", "tags")
"""Changed as a whole; the latest change is where they are from."""
_OF_MERGES = ("customer", "customer_profile", "contact_point", "external_identity", "personal_preference",
              "party_relationship")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where one thing is known from. ``contact_id``: the contact it was learnt in. ``file_name`` and ``import_id``: the
    table it stood in. ``customer_id``: whose it was before a merge, and ``origin`` how it was known there."""

    kind: SourceKind
    at: datetime | None = None
    actor_id: str | None = None
    contact_id: str | None = None
    import_id: int | None = None
    file_name: str | None = None
    customer_id: int | None = None
    origin: "Source | None" = None


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that a record shows: a field, or a row of a list with its id."""

    field: str
    item_id: int | None
    source: Source
    ground: Ground


@dataclass(slots=True)
class _Traces:
    """What was read, to be asked for each field."""

    entered: Source
    changes: Mapping[str, Sequence[CustomerChange]]
    merged_fields: Mapping[str, Sequence[tuple[Any, Source]]]
    merged_rows: Mapping[tuple[str, int], Source]
    audited: Mapping[tuple[str, int], Source]


async def known_of(session: AsyncSession, customer_id: int) -> list[Known]:
    """Each thing that the record shows, with its source and ground. Raises ``CustomerNotFound``."""
    record = await load_record(session, customer_id)
    ground = await grounds(session, record.profile.lifecycle_stage)
    traces = await _traces(session, record)
    fields = list(_fields(record, ground))
    found = [Known(field, None, _of_field(traces, field, value), ground.of(field)) for field, value in fields]
    consents = await _consents(session, customer_id)
    for field, table, row in _rows(record):
        source = traces.merged_rows.get((table, row.id)) or traces.audited.get((table, row.id)) or traces.entered
        found.append(Known(field, row.id, source, _consented(consents, row) or ground.of(field)))
    calls = await _calls(session, customer_id, [each.source for each in found])
    return [replace(each, source=_in_a_call(each.source, calls)) for each in found]


def _fields(record: CustomerRecord, ground: Grounds) -> Iterable[tuple[str, Any]]:
    """Single fields that say something, with their values; nothing of a sensitive class."""
    for holder, names in ((record.customer, OF_CUSTOMER), (record.profile, OF_PROFILE)):
        for name in names:
            value = getattr(holder, name, None)
            if value not in (None, ""):
                yield name, value
    for code, value in record.profile.custom.items():
        if code in ground.custom and ground.custom[code].data_class not in SENSITIVE:
            yield f"custom.{code}", value
    if record.customer.level:
        yield "level", record.customer.level
    if record.profile.owner_id:
        yield "owner", record.profile.owner_id
    if record.preferences:
        yield "preferences", [f"{each.purpose}:{each.channel}" for each in record.preferences]
    if record.tags:
        yield "tags", sorted(each.tag for each in record.tags)


def _rows(record: CustomerRecord) -> Iterable[tuple[str, str, Any]]:
    """Rows of the lists: what they are for a ground, their table, and the row."""
    yield from ((str(point.kind), "contact_point", point) for point in record.contact_points)
    yield from (("identity", "external_identity", row) for row in record.identities)
    yield from (("personal_preference", "personal_preference", row) for row in record.personal_preferences)
    yield from (("relation", "party_relationship", row) for row in record.relations)


def _of_field(traces: _Traces, field: str, value: Any) -> Source:
    """The latest change that made the field what it is; a merge, when that was later; else how the customer came in."""
    told = as_text(value)
    changes = traces.changes.get(field, ())
    change = next((each for each in changes if field in _LISTS or each.new_value == told), None)
    written = traces.entered if change is None else _of_change(change)
    for brought, source in traces.merged_fields.get(field, ()):
        is_later = change is None or source.at is None or change.at <= source.at
        if is_later and as_text(brought) == told:
            return replace(source, origin=written if change is not None else None)
    return written


def _of_change(change: CustomerChange) -> Source:
    if change.source == SourceKind.SELF:
        return Source(kind=SourceKind.SELF, at=change.at, actor_id=change.actor_id)
    return _by(change.actor_id, change.at)


def _by(actor_id: str | None, at: datetime | None) -> Source:
    if actor_id is None:
        return Source(kind=SourceKind.UNKNOWN, at=at)
    if actor_id.startswith(_PROGRAM):
        return Source(kind=SourceKind.API, at=at, actor_id=actor_id)
    return Source(kind=SourceKind.RULE if actor_id == _PRODUCT else SourceKind.AGENT, at=at, actor_id=actor_id)


async def _traces(session: AsyncSession, record: CustomerRecord) -> _Traces:
    customer_id = record.customer.id
    latest = select(CustomerChange).where(CustomerChange.customer_id == customer_id)
    changes: dict[str, list[CustomerChange]] = {}
    for change in await session.scalars(latest.order_by(CustomerChange.id.desc()).limit(_CHANGES)):
        changes.setdefault(change.field, []).append(change)
    merged_fields, merged_rows = await _merged(session, customer_id)
    return _Traces(
        entered=await _entered(session, customer_id),
        changes=changes,
        merged_fields=merged_fields,
        merged_rows=merged_rows,
        audited=await _audited(session, record),
    )


async def _entered(session: AsyncSession, customer_id: int) -> Source:
    """How the customer came into the store."""
    query = (
        select(ImportJob)
        .join(ImportedCustomer, ImportedCustomer.job_id == ImportJob.id)
        .where(ImportedCustomer.customer_id == customer_id)
        .limit(1)
    )
    job = await session.scalar(query)
    if job is not None:
        told: dict[str, Any] = {"import_id": job.id, "file_name": job.file_name}
        return Source(kind=SourceKind.IMPORT, at=job.at, actor_id=job.actor_id, **told)
    entry = await session.scalar(
        select(TimelineEvent).where(
            TimelineEvent.kind == TimelineKind.CUSTOMER_CREATED, TimelineEvent.ref_id == customer_id
        )
    )
    return Source(kind=SourceKind.UNKNOWN) if entry is None else _by(entry.actor_id, entry.at)


async def _merged(
    session: AsyncSession, customer_id: int
) -> tuple[dict[str, list[tuple[Any, Source]]], dict[tuple[str, int], Source]]:
    """What merges brought: by field the values with their sources, the latest first, and rows by table and id."""
    query = (
        select(MergeEvent)
        .where(MergeEvent.survivor_id == customer_id, MergeEvent.undone_at.is_(None))
        .order_by(MergeEvent.id.desc())
    )
    fields: dict[str, list[tuple[Any, Source]]] = {}
    rows: dict[tuple[str, int], Source] = {}
    for event in (await session.scalars(query)).all():
        source = Source(kind=SourceKind.MERGE, at=event.at, actor_id=event.actor_id, customer_id=event.merged_id)
        items = select(MergeItem).where(MergeItem.merge_id == event.id, MergeItem.table_name.in_(_OF_MERGES))
        for item in await session.scalars(items):
            if item.table_name in ("customer", "customer_profile"):
                _note_field(fields, item, source)
            elif item.column_name in ("customer_id", "from_id", "to_id"):
                rows.setdefault((item.table_name, int(item.row_key["id"])), source)
    return fields, rows


def _note_field(fields: dict[str, list[tuple[Any, Source]]], item: MergeItem, source: Source) -> None:
    if item.column_name != "custom":
        name = "owner" if item.column_name == "owner_id" else item.column_name
        fields.setdefault(name, []).append((item.new_value, source))
        return
    before, after = item.old_value or {}, item.new_value or {}
    for code in after:
        if before.get(code) != after[code]:
            fields.setdefault(f"custom.{code}", []).append((after[code], source))


async def _audited(session: AsyncSession, record: CustomerRecord) -> dict[tuple[str, int], Source]:
    """Who entered the rows of the lists, as the audit log has it."""
    found: dict[tuple[str, int], Source] = {}
    keys: dict[str, list[str]] = {}
    for _, table, row in _rows(record):
        keys.setdefault(table, []).append(str(row.id))
    for table, ids in keys.items():
        entries = select(AuditEntry).where(
            AuditEntry.table_name == table, AuditEntry.row_key.in_(ids), AuditEntry.action == "insert"
        )
        for entry in await session.scalars(entries):
            found[table, int(entry.row_key)] = _by(entry.actor_id, entry.at)
    return found


async def _calls(session: AsyncSession, customer_id: int, sources: Sequence[Source]) -> Sequence[Interaction]:
    """The customer's contacts in which something may have been learnt."""
    told = [each.at for each in sources if each.kind is SourceKind.AGENT and each.at is not None]
    actors = {each.actor_id for each in sources if each.kind is SourceKind.AGENT}
    if not told:
        return ()
    query = select(Interaction).where(
        Interaction.tenant_id == DEFAULT_TENANT,
        Interaction.customer_id == customer_id,
        Interaction.started_at >= min(told) - _LONGEST_CONTACT,
        Interaction.started_at <= max(told),
        Interaction.agent_id.in_(actors),
    )
    return (await session.scalars(query.order_by(Interaction.started_at.desc()).limit(_CHANGES))).all()


def _in_a_call(source: Source, calls: Sequence[Interaction]) -> Source:
    if source.kind is not SourceKind.AGENT or source.at is None:
        return source
    for call in calls:
        if call.agent_id == source.actor_id and call.started_at <= source.at <= call.ended_at + AFTERWARDS:
            return replace(source, kind=SourceKind.CALL, contact_id=call.contact_id)
    return source


async def _consents(session: AsyncSession, customer_id: int) -> Sequence[Consent]:
    query = select(Consent).where(Consent.customer_id == customer_id)
    return (await session.scalars(query.order_by(Consent.captured_at.desc(), Consent.id.desc()))).all()


def _consented(consents: Sequence[Consent], row: Any) -> Ground | None:
    """The customer's own word about a number or address, when the newest is that it may be used."""
    if not isinstance(row, ContactPoint):
        return None
    newest = next((each for each in consents if each.value_norm == row.value_norm), None)
    if newest is None or newest.status is not ConsentStatus.GIVEN:
        return None
    return Ground(newest.legal_basis, newest.purpose, "consent")
