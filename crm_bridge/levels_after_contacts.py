"""Levels that follow what happened: a customer whose rule counts contacts has the new level when the contact that makes
it is in the store, and one that was imported when the import is, not a day later.

Apart from the writing of contacts and imports, which must not wait for it: what is missed here, the daily run does.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.catalogue import level_rules
from crm_bridge.changes import Editing
from crm_bridge.database import Database
from crm_bridge.models import Customer, ImportedCustomer, Interaction
from crm_bridge.owners import apply_level_rules
from crm_bridge.vocabulary import CustomerStatus

OF_CONTACTS = frozenset({"interactions_365d", "days_since_contact"})
"""What of the facts of level rules a contact changes."""
PORTION = 200
REASON = "contact"
IMPORTED = "import"
MOST_IMPORTED = 200_000
"""Of one import; a larger one's others have their level after the daily run."""


class UnitsOfWork(Protocol):
    """Where the work is done; ``crm_bridge.database.Database`` is one."""

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that writes."""
        ...

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that does not."""
        ...


async def follow_contacts(database: Database, contact_ids: Sequence[str], now: datetime) -> int:
    """Look again at the customers of these contacts, where a rule asks about contacts; how many levels changed.

    Raises ``CrmError`` when the store is away, or somebody edits one of them at the same moment.
    """
    async with database.glance() as connection:
        rules = await level_rules(connection)
    if not any(condition.fact in OF_CONTACTS for rule in rules for condition in rule.conditions or ()):
        return 0
    changed = 0
    for start in range(0, len(contact_ids), PORTION):
        portion = contact_ids[start : start + PORTION]
        async with database.begin() as session:
            theirs = select(Interaction.customer_id).where(Interaction.contact_id.in_(portion))
            query = select(Customer).where(Customer.id.in_(theirs), Customer.status == CustomerStatus.ACTIVE)
            customers = (await session.scalars(query.order_by(Customer.id))).all()
            changed += await apply_level_rules(session, customers, Editing(now, "system", reason=REASON))
    return changed


async def follow_import(database: UnitsOfWork, job_id: int, now: datetime) -> int:
    """Look at the customers of an import, a portion in a unit of work; how many levels changed.

    Raises ``CrmError`` when the store is away, or somebody edits one of them at the same moment.
    """
    async with database.read() as session:
        if not any(rule.conditions for rule in await level_rules(session)):
            return 0
    changed, after = 0, 0
    for _ in range(0, MOST_IMPORTED, PORTION):
        async with database.begin() as session:
            theirs = select(ImportedCustomer.customer_id).where(
                ImportedCustomer.job_id == job_id, ImportedCustomer.customer_id > after
            )
            ids = (await session.scalars(theirs.order_by(ImportedCustomer.customer_id).limit(PORTION))).all()
            query = select(Customer).where(Customer.id.in_(ids), Customer.status == CustomerStatus.ACTIVE)
            customers = (await session.scalars(query.order_by(Customer.id))).all()
            changed += await apply_level_rules(session, customers, Editing(now, "system", reason=IMPORTED))
        if len(ids) < PORTION:
            break
        after = ids[-1]
    return changed
