"""What is to be tidied up among the customers, counted once a week by the daily run.

A count of millions takes a while and tells the same an hour later, so nobody asks for it live: the latest counts are in
the rows of the runs, and show what becomes of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.keyset import Cursor, Page, bounded
from crm_bridge.models import ContactPoint, Customer, DuplicateCandidate, MaintenanceRun
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import ContactKind, CustomerStatus, DuplicateState

STALE_AFTER = timedelta(days=365)
"""Without a contact for so long, nobody knows whether what is written still holds."""
EVERY = timedelta(days=7)
LOOKED_AT = 20_000
"""Customers that one page of a list looks at."""
PREFIX = "quality_"
"""Before each count in the report of a run."""
_RUNS = 400
"""More than a year of daily runs."""
_NEARLY_A_DAY = timedelta(hours=12)
"""Runs begin at an hour of the wall clock: a week later may be some hours less."""


@dataclass(frozen=True, slots=True)
class QualityReport:
    """How many active customers there were at an instant, and how many of them want looking after, by what is amiss."""

    at: datetime
    customers: int
    counts: Mapping[str, int]
    """``without_phone``, ``doubtful_phone`` (no full number, such as a short code), ``unreachable`` (no number and no
    address), ``stale`` (no contact within a year), ``duplicates`` (pairs that nobody has decided about)."""


class QualityProblem(StrEnum):
    """What may be wrong with a customer, and can be put right one by one."""

    WITHOUT_PHONE = "without_phone"
    DOUBTFUL_PHONE = "doubtful_phone"
    UNREACHABLE = "unreachable"
    STALE = "stale"


async def customers_with(
    session: AsyncSession, problem: QualityProblem, *, before: Cursor | None, limit: int, now: datetime
) -> Page[Customer]:
    """Active customers to be looked at, the newest first.

    A page looks at ``LOOKED_AT`` customers at most, however rare the problem: it may have fewer than ``limit``, or
    none, and still lead on to a next one.
    """
    limit = bounded(limit)
    ids = select(Customer.id).where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    ids = ids if before is None else ids.where(Customer.id < before.id)
    window = ids.order_by(Customer.id.desc()).limit(LOOKED_AT).subquery()
    query = select(Customer).join(window, window.c.id == Customer.id).where(_has(problem, now))
    hidden = hidden_from(session)
    query = query if hidden is None else query.where(~hidden)
    rows = (await session.scalars(query.order_by(Customer.id.desc()).limit(limit + 1))).all()
    if len(rows) > limit:
        return Page(tuple(rows[:limit]), Cursor(now, rows[limit - 1].id))
    looked_at, last = (await session.execute(select(func.count(), func.min(window.c.id)))).one()
    return Page(tuple(rows), Cursor(now, last) if looked_at == LOOKED_AT else None)


async def measure_quality(session: AsyncSession, now: datetime) -> dict[str, int]:
    """The counts, as they go into the report of a run."""
    open_pairs = select(func.count()).where(DuplicateCandidate.state == DuplicateState.OPEN)
    return {
        f"{PREFIX}customers": await _active(session),
        **{f"{PREFIX}{problem}": await _active(session, _has(problem, now)) for problem in QualityProblem},
        f"{PREFIX}duplicates": await session.scalar(open_pairs) or 0,
    }


async def is_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a week has gone since the customers were last counted."""
    since = now - EVERY + _NEARLY_A_DAY
    runs = await session.scalars(select(MaintenanceRun.report).where(MaintenanceRun.at > since))
    return not any(f"{PREFIX}customers" in report for report in runs)


async def quality_reports(session: AsyncSession, limit: int) -> list[QualityReport]:
    """The counts of the latest weeks, the newest first."""
    newest = select(MaintenanceRun).order_by(MaintenanceRun.at.desc(), MaintenanceRun.id.desc()).limit(_RUNS)
    counted = [run for run in await session.scalars(newest) if f"{PREFIX}customers" in run.report]
    return [_report(run) for run in counted[:limit]]


def _report(run: MaintenanceRun) -> QualityReport:
    counts = {name.removeprefix(PREFIX): count for name, count in run.report.items() if name.startswith(PREFIX)}
    return QualityReport(run.at, counts.pop("customers"), counts)


async def _active(session: AsyncSession, *wanted: ColumnElement[bool]) -> int:
    active = (Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    return await session.scalar(select(func.count()).select_from(Customer).where(*active, *wanted)) or 0


def _has(problem: QualityProblem, now: datetime) -> ColumnElement[bool]:
    is_phone = ContactPoint.kind == ContactKind.PHONE
    match problem:
        case QualityProblem.WITHOUT_PHONE:
            return ~_has_point(is_phone)
        case QualityProblem.DOUBTFUL_PHONE:
            return _has_point(is_phone, ContactPoint.phone_e164_int.is_(None))
        case QualityProblem.UNREACHABLE:
            return ~_has_point()
        case QualityProblem.STALE:
            return func.coalesce(Customer.last_contact_at, Customer.created_at) < now - STALE_AFTER


def _has_point(*wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(ContactPoint.id).where(ContactPoint.customer_id == Customer.id, *wanted).exists()
