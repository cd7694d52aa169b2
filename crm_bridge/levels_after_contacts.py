"""Levels that follow the contacts: a customer whose rule counts contacts has the new level when the contact that makes
it is in the store, not a day later.

Apart from the writing of the contacts, which must not wait for it: what is missed here, the daily run does.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.catalogue import level_rules
from crm_bridge.changes import Editing
from crm_bridge.models import Customer, Interaction
from crm_bridge.owners import apply_level_rules
from crm_bridge.vocabulary import CustomerStatus

OF_CONTACTS = frozenset({"interactions_365d", "days_since_contact"})
"""What of the facts of level rules a contact changes."""
PORTION = 200
REASON = "contact"


class UnitsOfWork(Protocol):
    """Where the work is done; ``crm_bridge.database.Database`` is one."""

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that writes."""
        ...

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that does not."""
        ...


async def follow_contacts(database: UnitsOfWork, contact_ids: Sequence[str], now: datetime) -> int:
    """Look again at the customers of these contacts, where a rule asks about contacts; how many levels changed.

    Raises ``CrmError`` when the store is away, or somebody edits one of them at the same moment.
    """
    async with database.read() as session:
        rules = await level_rules(session)
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
