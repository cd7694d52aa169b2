"""What is to be tidied up among the customers, counted once a week by the daily run.

A count of millions takes a while and tells the same an hour later, so nobody asks for it live: the latest counts are in
the rows of the runs, and show what becomes of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import ContactPoint, Customer, DuplicateCandidate, MaintenanceRun
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.vocabulary import ContactKind, CustomerStatus, DuplicateState

STALE_AFTER = timedelta(days=365)
"""Without a contact for so long, nobody knows whether what is written still holds."""
EVERY = timedelta(days=7)
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


async def measure_quality(session: AsyncSession, now: datetime) -> dict[str, int]:
    """The counts, as they go into the report of a run."""
    is_phone = ContactPoint.kind == ContactKind.PHONE
    last_seen = func.coalesce(Customer.last_contact_at, Customer.created_at)
    open_pairs = select(func.count()).where(DuplicateCandidate.state == DuplicateState.OPEN)
    return {
        f"{PREFIX}customers": await _active(session),
        f"{PREFIX}without_phone": await _active(session, ~_has_point(is_phone)),
        f"{PREFIX}doubtful_phone": await _active(session, _has_point(is_phone, ContactPoint.phone_e164_int.is_(None))),
        f"{PREFIX}unreachable": await _active(session, ~_has_point()),
        f"{PREFIX}stale": await _active(session, last_seen < now - STALE_AFTER),
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


def _has_point(*wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(ContactPoint.id).where(ContactPoint.customer_id == Customer.id, *wanted).exists()
