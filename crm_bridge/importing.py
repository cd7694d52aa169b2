"""Importing customers from a table: look first, then import, and take it back if it was wrong.

A portion of rows is one transaction. What is there already, or twice in the file, is left out and reported; nothing is
overwritten. An import is taken back by erasing the customers it has made, except those that somebody has worked with
since.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Table, delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.audit import note
from crm_bridge.backfill import backfill
from crm_bridge.bulk import enter_many
from crm_bridge.contact_points import NewContactPoint, distinct_points
from crm_bridge.customers import NewCustomer
from crm_bridge.errors import CannotUndo, CrmError, InvalidField, InvalidFile, ItemNotFound
from crm_bridge.identity_numbers import DIGESTED, check_number, stored_forms
from crm_bridge.ids import new_id
from crm_bridge.models import (
    Attachment,
    ContactPoint,
    Customer,
    CustomerProfile,
    ExternalIdentity,
    ImportedCustomer,
    ImportJob,
    Interaction,
    Note,
    Promise,
    TimelineEvent,
)
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.search_texts import normalise_name
from crm_bridge.spreadsheets import FIELDS, Row, is_rounded
from crm_bridge.vocabulary import ContactKind, CustomerKind, CustomerStatus, ImportState

PORTION = 500
MAX_REPORTED = 100

_PROFILE_TEXTS = ("family_name", "given_name", "gender", "occupation", "address", "region_code", "timezone",
                  "legal_name", "industry")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row that became a customer to be entered."""

    number: int
    new: NewCustomer
    profile: Mapping[str, Any]
    keys: frozenset[tuple[ContactKind, str]]
    identities: tuple[tuple[str, str], ...]
    """Provider and name: as given, then as the store keeps it."""


@dataclass(slots=True)
class ImportReport:
    """What became of the rows. The lists hold the first hundred of each kind."""

    rows: int = 0
    created: int = 0
    duplicates: int = 0
    invalid: int = 0
    duplicate_rows: list[dict[str, Any]] = field(default_factory=list)
    invalid_rows: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, number: int, reason: str) -> None:
        """A row cannot be understood."""
        self.invalid += 1
        if len(self.invalid_rows) < MAX_REPORTED:
            self.invalid_rows.append({"row": number, "reason": reason})

    def leave_out(self, number: int, customer_id: int | None, owner_id: str | None) -> None:
        """A row is there already: as this customer, whom that owner looks after, or further up in the file."""
        self.duplicates += 1
        if len(self.duplicate_rows) < MAX_REPORTED:
            told = None if customer_id is None else str(customer_id)
            owner = {} if owner_id is None else {"owner_id": owner_id}
            self.duplicate_rows.append({"row": number, "customer_id": told} | owner)


def check_mapping(mapping: Mapping[str, int], columns: int) -> None:
    """Raise ``InvalidField`` for a mapping that cannot be followed."""
    if "display_name" not in mapping and not {"family_name", "given_name"} <= mapping.keys():
        raise InvalidField("say which column is the name", where="query.mapping")
    for name, place in mapping.items():
        if name not in FIELDS or not 0 <= place < columns:
            raise InvalidField("there is no such field or column", where="query.mapping")


def understand(row: Row, mapping: Mapping[str, int], region: str | None) -> ImportedRow:
    """What a row says. Raises ``InvalidField`` and ``InvalidContactPoint``."""
    told = {name: row.cells[place].strip() for name, place in mapping.items() if place < len(row.cells)}
    name = told.get("display_name") or " ".join(filter(None, (told.get("given_name"), told.get("family_name"))))
    if not name or len(name) > 200:
        raise InvalidField("there is no name, or a too long one", where="display_name")
    kind = told.get("kind") or CustomerKind.PERSON
    if kind not in CustomerKind.__members__.values():
        raise InvalidField("kind is person or org", where="kind")
    points = [NewContactPoint(told[name]) for name in ("phone", "phone_2") if told.get(name)]
    points += [NewContactPoint(told["email"], ContactKind.EMAIL)] if told.get("email") else []
    profile: dict[str, Any] = {name: told[name] for name in _PROFILE_TEXTS if told.get(name)}
    if told.get("birth_date"):
        try:
            profile["birth_date"] = date.fromisoformat(told["birth_date"])
        except ValueError as error:
            raise InvalidField("birth_date is not a date such as 2026-03-02", where="birth_date") from error
    new = NewCustomer(
        name,
        kind=CustomerKind(kind),
        preferred_language=told.get("preferred_language") or None,
        level=told.get("level") or None,
        contact_points=tuple(points),
    )
    normal = distinct_points(points, region)
    keys = frozenset((point.given.kind, point.value_norm) for point in normal)
    return ImportedRow(row.number, new, profile, keys, _identities(told))


def _identities(told: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = tuple((provider, told[provider]) for provider in ("member_no", "id_card") if told.get(provider))
    for provider, external_id in found:
        if is_rounded(external_id):
            raise InvalidField(
                "a spreadsheet has rounded this number: make the column text and enter it again", where=provider
            )
        if provider in DIGESTED:
            check_number(external_id)
    return found


async def preview(
    session: AsyncSession, rows: Iterator[Row], mapping: Mapping[str, int], *, region: str | None, limit: int = 200
) -> ImportReport:
    """What importing would do with the first ``limit`` rows. Writes nothing."""
    report = ImportReport()
    fresh = await _sort(session, list(islice(rows, limit)), mapping, region, report, create_key=False)
    report.created = len(fresh)
    return report


async def begin_import(session: AsyncSession, file_name: str, *, now: datetime, actor_id: str | None) -> ImportJob:
    """Write down that a file is being imported."""
    job = ImportJob(id=new_id(), file_name=file_name, state=ImportState.RUNNING, at=now, actor_id=actor_id, report={})
    session.add(job)
    await session.flush()
    return job


async def import_portion(
    session: AsyncSession,
    job_id: int,
    rows: Sequence[Row],
    mapping: Mapping[str, int],
    report: ImportReport,
    *,
    region: str | None,
    now: datetime,
    actor_id: str | None,
) -> None:
    """Enter the rows that are new. For a unit of work of its own."""
    fresh = await _sort(session, rows, mapping, region, report, create_key=True)
    if not fresh:
        return
    ids = await enter_many(session, [each.new for each in fresh], region=region, now=now, actor_id=actor_id)
    stamps = {"created_at": utc_now(), "updated_at": utc_now()}
    profiles = [_profile(customer_id, each, stamps) for customer_id, each in zip(ids, fresh, strict=True)]
    await session.execute(insert(_table(CustomerProfile)), profiles)
    names: dict[str, Any] = {"tenant_id": DEFAULT_TENANT} | stamps
    identities = [
        names | {"id": new_id(), "customer_id": customer_id, "provider": provider, "external_id": external_id}
        for customer_id, each in zip(ids, fresh, strict=True)
        for provider, external_id in each.identities
    ]
    if identities:
        await session.execute(insert(_table(ExternalIdentity)), identities)
    made = [{"job_id": job_id, "customer_id": customer_id} for customer_id in ids]
    await session.execute(insert(_table(ImportedCustomer)), made)
    await _claim(session, ids, fresh)
    report.created += len(ids)
    note(session, "import", "customer", str(job_id), [str(len(ids))])


async def finish_import(session: AsyncSession, job_id: int, report: ImportReport) -> ImportJob:
    """Write down what became of the file. Raises ``ItemNotFound``."""
    job = await find_import(session, job_id)
    job.state, job.report = ImportState.DONE, {name: getattr(report, name) for name in ImportReport.__slots__}
    await session.flush()
    return job


async def find_import(session: AsyncSession, job_id: int) -> ImportJob:
    """The import. Raises ``ItemNotFound``."""
    job = await session.get(ImportJob, job_id)
    if job is None:
        raise ItemNotFound("there is no such import", where="path.job_id")
    return job


async def undo_import(session: AsyncSession, job_id: int) -> tuple[int, int]:
    """Take the customers of an import away again; how many went, and how many stay because of work on them.

    Raises ``ItemNotFound`` and ``CannotUndo``.
    """
    job = await find_import(session, job_id)
    if job.state is not ImportState.DONE:
        raise CannotUndo("this import is not finished, or taken back already", where="path.job_id")
    of_job = select(ImportedCustomer.customer_id).where(ImportedCustomer.job_id == job_id)
    untouched = select(Customer.id).where(
        Customer.id.in_(of_job),
        Customer.row_version == 1,
        Customer.status == CustomerStatus.ACTIVE,
        *(~exists().where(model.customer_id == Customer.id) for model in (Interaction, Note, Attachment, Promise)),
    )
    total = len((await session.scalars(of_job)).all())
    ids = (await session.scalars(untouched)).all()
    for start in range(0, len(ids), PORTION):
        portion = ids[start : start + PORTION]
        await session.execute(delete(TimelineEvent).where(TimelineEvent.customer_id.in_(portion)))
        await session.execute(delete(Customer).where(Customer.id.in_(portion)))
    job.state = ImportState.UNDONE
    note(session, "undo import", "customer", str(job_id), [str(len(ids))])
    await session.flush()
    return len(ids), total - len(ids)


async def _sort(
    session: AsyncSession,
    rows: Sequence[Row],
    mapping: Mapping[str, int],
    region: str | None,
    report: ImportReport,
    *,
    create_key: bool,
) -> list[ImportedRow]:
    """The rows that are new; the others go into the report."""
    good: list[ImportedRow] = []
    for row in rows:
        report.rows += 1
        try:
            good.append(understand(row, mapping, region))
        except InvalidFile:
            raise
        except CrmError as error:
            report.refuse(row.number, error.message)
    kept = await stored_forms(session, (name for each in good for name in each.identities), create=create_key)
    good = [replace(each, identities=tuple((name[0], kept[name]) for name in each.identities)) for each in good]
    there = await _there(session, good)
    owners = await _owners(session, there.values())
    fresh: list[ImportedRow] = []
    for each in good:
        name = normalise_name(each.new.display_name)
        twin = next((there[name, key] for key in each.keys if (name, key) in there), 0)
        of_identity = next((there["", identity] for identity in each.identities if ("", identity) in there), 0)
        twin = of_identity if of_identity != 0 else twin
        if twin != 0:
            report.leave_out(each.number, twin, owners.get(twin or 0))
            continue
        there |= {(name, key): None for key in each.keys} | {("", identity): None for identity in each.identities}
        fresh.append(each)
    return fresh


async def _there(session: AsyncSession, rows: Sequence[ImportedRow]) -> dict[tuple[str, Any], int | None]:
    """Customers by name and number or address, and by names elsewhere, for those that the rows show."""
    found: dict[tuple[str, Any], int | None] = {}
    for kind in ContactKind:
        values = sorted({value for row in rows for of_kind, value in row.keys if of_kind is kind})
        query = (
            select(Customer.name_norm, ContactPoint.value_norm, Customer.id)
            .join(ContactPoint, ContactPoint.customer_id == Customer.id)
            .where(
                ContactPoint.tenant_id == DEFAULT_TENANT,
                ContactPoint.kind == kind,
                ContactPoint.value_norm.in_(values),
                Customer.status == CustomerStatus.ACTIVE,
            )
        )
        if values:
            found |= {(name, (kind, value)): customer for name, value, customer in await session.execute(query)}
    identities = sorted({identity for row in rows for identity in row.identities})
    for provider in {provider for provider, _ in identities}:
        same = select(ExternalIdentity.external_id, ExternalIdentity.customer_id).where(
            ExternalIdentity.tenant_id == DEFAULT_TENANT,
            ExternalIdentity.provider == provider,
            ExternalIdentity.external_id.in_([external_id for of, external_id in identities if of == provider]),
        )
        found |= {("", (provider, external_id)): customer for external_id, customer in await session.execute(same)}
    return found


async def _owners(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, str]:
    """Who looks after these customers."""
    query = select(CustomerProfile.customer_id, CustomerProfile.owner_id).where(
        CustomerProfile.customer_id.in_({each for each in ids if each is not None}),
        CustomerProfile.owner_id.is_not(None),
    )
    return {customer_id: owner for customer_id, owner in await session.execute(query) if owner is not None}


def _table(model: type[Any]) -> Table:
    table: Table = model.__table__
    return table


def _profile(customer_id: int, row: ImportedRow, stamps: Mapping[str, datetime]) -> dict[str, Any]:
    empty = dict.fromkeys((*_PROFILE_TEXTS, "birth_date"))
    chosen = row.new.level is not None
    fixed = {"customer_id": customer_id, "party_kind": "external", "level_is_manual": chosen, "custom": {}}
    return {**empty, **row.profile, **fixed, **stamps}


async def _claim(session: AsyncSession, ids: Sequence[int], rows: Sequence[ImportedRow]) -> None:
    """Earlier contacts of the new numbers, where the number is of one customer only."""
    owners: dict[str, list[int]] = {}
    for customer_id, row in zip(ids, rows, strict=True):
        for kind, value in row.keys:
            if kind is ContactKind.PHONE:
                owners.setdefault(value, []).append(customer_id)
    waiting = (
        select(Interaction.party_norm)
        .distinct()
        .where(
            Interaction.tenant_id == DEFAULT_TENANT,
            Interaction.party_norm.in_(sorted(owners)),
            Interaction.customer_id.is_(None),
        )
    )
    for number in (await session.scalars(waiting)).all():
        shared = select(ContactPoint.customer_id).where(
            ContactPoint.tenant_id == DEFAULT_TENANT,
            ContactPoint.kind == ContactKind.PHONE,
            ContactPoint.value_norm == number,
        )
        having = (await session.scalars(shared.limit(2))).all()
        if number is not None and len(having) == 1:
            await backfill(session, having[0], number)
