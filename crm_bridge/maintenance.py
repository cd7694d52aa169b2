"""What the store does once a day: levels by their rules, and letting go what is older than its rule. Once a week it
counts what is to be tidied up.

Portions are transactions of their own, so that a run may be interrupted anywhere and begun again, and nobody waits for
it. Each run leaves a row that says when it was and what it did, and an entry in the audit log.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.audit import note
from crm_bridge.catalogue import level_rules
from crm_bridge.changes import Editing
from crm_bridge.data_quality import is_due, measure_quality
from crm_bridge.ids import new_id
from crm_bridge.models import Customer, ErasureReceipt, MaintenanceRun
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.owners import apply_level_rules
from crm_bridge.retention import expire
from crm_bridge.vocabulary import CustomerStatus

PORTION = 500
ACTOR = "system"


class UnitsOfWork(Protocol):
    """Where the work is done; ``crm_bridge.database.Database`` is one."""

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that writes."""
        ...

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that does not."""
        ...

    async def rewrite(self) -> int:
        """After erasures: write all tables anew; how many could not be."""
        ...


def next_run(last: datetime | None, *, now: datetime, zone: ZoneInfo, hour: int) -> datetime:
    """When the next daily run is due: when the clock of ``zone`` first shows ``hour`` after the last run began.

    An instant that is past means at once: the run was missed, or there never was one. Pure.
    """
    if last is None:
        return now
    local = last.astimezone(zone)
    due = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if due <= local:
        due = (due + timedelta(days=1)).replace(hour=hour)
    return due.astimezone(UTC)


async def last_run(session: AsyncSession) -> MaintenanceRun | None:
    """The latest run that came to its end."""
    query = select(MaintenanceRun).order_by(MaintenanceRun.at.desc(), MaintenanceRun.id.desc()).limit(1)
    run: MaintenanceRun | None = await session.scalar(query)
    return run


async def maintain(database: UnitsOfWork, *, now: datetime, ended: datetime | None = None) -> Mapping[str, int]:
    """Do it all, and write down what was done: levels that changed, rows let go by class, tables that could not be
    written anew after an erasure, and once a week what there is to tidy up.

    Raises ``CrmError`` when the store is away; what was done until then stays done.
    """
    report = {"levels": await _levels(database, now)}
    while True:
        async with database.begin() as session:
            gone = await expire(session, now)
        for data_class, count in gone.items():
            report[data_class] = report.get(data_class, 0) + count
        if not any(gone.values()):
            break
    if await _erased_since(database):
        report["tables_left"] = await database.rewrite()
    async with database.read() as session:
        if await is_due(session, now):
            report |= await measure_quality(session, now)
    async with database.begin() as session:
        session.add(MaintenanceRun(id=new_id(), at=now, ended_at=ended or now, report=report))
        note(
            session, "maintain", "store", now.date().isoformat(), [f"{name}:{count}" for name, count in report.items()]
        )
    return report


async def _erased_since(database: UnitsOfWork) -> bool:
    """Whether somebody was erased since the last run that left no table as it was."""
    async with database.read() as session:
        run = await last_run(session)
        newest = await session.scalar(select(func.max(ErasureReceipt.at)))
    return newest is not None and (run is None or newest > run.at or bool(run.report.get("tables_left")))


async def _levels(database: UnitsOfWork, now: datetime) -> int:
    async with database.read() as session:
        if not any(rule.conditions for rule in await level_rules(session)):
            return 0
    changed, after = 0, 0
    editing = Editing(now, ACTOR, reason="daily rules")
    active = select(Customer).where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    while True:
        async with database.begin() as session:
            query = active.where(Customer.id > after).order_by(Customer.id).limit(PORTION)
            customers = (await session.scalars(query)).all()
            changed += await apply_level_rules(session, customers, editing)
        if len(customers) < PORTION:
            return changed
        after = customers[-1].id
