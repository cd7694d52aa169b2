"""Where a contact came from: the links between the contacts of one call that several agents handled in turn."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import ContactParent
from crm_bridge.models.base import DEFAULT_TENANT, storable
from crm_bridge.records import InteractionRecord
from crm_bridge.row_writing import among


@dataclass(frozen=True, slots=True)
class ParentView:
    """The contact that another one came from, and who had it. ``relation``: transfer, consult, recall, retrieved."""

    contact_id: str
    relation: str
    agent_id: str | None
    agent_name: str | None


async def write_parents(session: AsyncSession, records: Sequence[InteractionRecord]) -> None:
    """Write what the records say about where they came from: the newest record of each contact, once each."""
    rows = [
        {
            "tenant_id": DEFAULT_TENANT,
            "contact_id": each.contact_id,
            "parent_contact_id": each.parent_contact_id,
            "relation": each.parent_relation,
        }
        for each in records
        if each.parent_contact_id
    ]
    if rows:
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        link = (sqlite if is_sqlite else postgresql).insert(ContactParent)
        told = {name: link.excluded[name] for name in ("parent_contact_id", "relation")}
        await session.execute(link.on_conflict_do_update(index_elements=["contact_id"], set_=told), rows)


async def forget_parents(session: AsyncSession, records: Sequence[InteractionRecord]) -> None:
    """Corrected contacts that came from nowhere after all."""
    keys = [storable(each.contact_id) for each in records if not each.parent_contact_id]
    if keys:
        await session.execute(delete(ContactParent).where(among(session, ContactParent.contact_id, keys)))
