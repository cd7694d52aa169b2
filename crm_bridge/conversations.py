"""Contacts that are one conversation: the customer was handed on, and each agent's part is an interaction of its own.

A part belongs to the contact it came from when both are the same customer's and it began later. Whatever else the links
say (a customer corrected on one part alone, a ring of parents), each interaction is in exactly one conversation.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm_bridge.history import InteractionView, interactions_of
from crm_bridge.models import ContactParent, Interaction, TimelineEvent
from crm_bridge.row_writing import among
from crm_bridge.vocabulary import TimelineKind

_Part = aliased(Interaction)
_Came = aliased(Interaction)


def begins_conversation() -> ColumnElement[bool]:
    """Whether an entry of a timeline is not a later part of another one's conversation.

    Asked of each entry as it is passed (a subquery with a limit is not turned into a join), so that a page costs what
    it shows and not what the customer's whole history is.
    """
    came_from = (
        select(_Came.id)
        .select_from(_Part)
        .join(ContactParent, ContactParent.contact_id == _Part.contact_id)
        .join(_Came, _Came.contact_id == ContactParent.parent_contact_id)
        .where(
            _Part.id == TimelineEvent.ref_id, TimelineEvent.kind == TimelineKind.INTERACTION, _continues(_Part, _Came)
        )
        .limit(1)
        .correlate(TimelineEvent)
        .scalar_subquery()
    )
    return came_from.is_(None)


async def later_parts(
    session: AsyncSession, firsts: Sequence[InteractionView]
) -> dict[str, tuple[InteractionView, ...]]:
    """The later parts of the conversations that began with these contacts, each in the order it happened.

    Followed link by link, one look for all conversations at each: most of them have no second.
    """
    found: dict[str, list[InteractionView]] = {}
    ends = {each.contact_id: (each.contact_id, each) for each in firsts}
    """The contacts reached last, each with the conversation's first one."""
    while ends and (links := await _links_from(session, list(ends))):
        views = {each.contact_id: each for each in await interactions_of(session, list(links))}
        followed = {}
        for contact_id, view in views.items():
            first, before = ends[links[contact_id]]
            if before.customer_id == view.customer_id and _began(before) < _began(view):
                found.setdefault(first, []).append(view)
                followed[contact_id] = (first, view)
        ends = followed
    return {first: tuple(sorted(parts, key=_began)) for first, parts in found.items()}


async def _links_from(session: AsyncSession, parents: Sequence[str]) -> dict[str, str]:
    """The contacts that came from these, each with the one it came from."""
    links = select(ContactParent.contact_id, ContactParent.parent_contact_id)
    rows = await session.execute(links.where(among(session, ContactParent.parent_contact_id, parents)))
    return {row.contact_id: row.parent_contact_id for row in rows}


def _continues(part: Any, before: Any) -> ColumnElement[bool]:
    """Whether ``part`` came out of ``before``; the strict order is what no ring of links survives."""
    later: ColumnElement[bool] = tuple_(before.started_at, before.id) < tuple_(part.started_at, part.id)
    same: ColumnElement[bool] = before.customer_id == part.customer_id
    return same & later


def _began(view: InteractionView) -> tuple[datetime, int]:
    return view.started_at, view.id
