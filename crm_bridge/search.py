"""Finding customers by any part of their name, number or address.

First the newest customers are looked through: what many are called is among them. What is rarer is found by the index
of three characters: ``pg_trgm`` on PostgreSQL, FTS5 on SQLite.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, Select, column, literal_column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.keyset import Cursor, Page, bounded
from crm_bridge.models import Customer, SearchText
from crm_bridge.models.base import DEFAULT_TENANT, storable
from crm_bridge.search_texts import asked, normalise_name, trigrams
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import CustomerStatus

__all__ = ["MAX_HITS", "normalise_name", "search"]

MAX_HITS = 2000
"""How many hits of the index one search looks at; a search with more should be made narrower by typing on."""
NEWEST = 2000
"""How many of the newest customers are looked through before the index is asked."""

_INDEX = table("search_index", column("rowid"))
"""SQLite's full-text index over the search texts, kept by triggers."""


async def search(session: AsyncSession, typed: str, *, before: Cursor | None, limit: int) -> Page[Customer]:
    """Active customers that ``typed`` describes, the most recently created first; all of them for an empty text."""
    limit = bounded(limit)
    query = select(Customer).where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    hidden = hidden_from(session)
    if hidden is not None:
        query = query.where(~hidden)
    if before is not None:
        query = query.where(Customer.id < before.id)
    query = query.order_by(Customer.id.desc()).limit(limit + 1)
    if not normalise_name(typed):
        return _page((await session.scalars(query)).all(), limit)
    needles, of_name = asked(storable(typed))
    if not needles:
        return Page((), None)
    query = query.where(*(Customer.name_norm.contains(each, autoescape=True) for each in of_name))
    rows = (await session.scalars(_among_newest(query, needles, before))).all()
    if len(rows) <= limit:
        rows = (await session.scalars(await _by_index(session, query, needles, before))).all()
    return _page(rows, limit)


def _page(rows: Any, limit: int) -> Page[Customer]:
    items = tuple(rows[:limit])
    return Page(items, Cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None)


def _among_newest(query: Select[Customer], needles: tuple[str, ...], before: Cursor | None) -> Select[Customer]:
    newest = select(SearchText.customer_id, SearchText.text).order_by(SearchText.customer_id.desc()).limit(NEWEST)
    if before is not None:
        newest = newest.where(SearchText.customer_id < before.id)
    here = newest.subquery()
    return query.where(Customer.id.in_(select(here.c.customer_id).where(*_has_all(here.c.text, needles))))


async def _by_index(
    session: AsyncSession, query: Select[Customer], needles: tuple[str, ...], before: Cursor | None
) -> Select[Customer]:
    hits = select(SearchText.customer_id).where(*_has_all(SearchText.text, needles)).limit(MAX_HITS)
    if before is not None:
        hits = hits.where(SearchText.customer_id < before.id)
    if (await session.connection()).dialect.name == "postgresql":
        await session.execute(text("SET LOCAL enable_seqscan = off"))  # the planner takes rare parts for common ones
    else:
        groups = (group.replace('"', '""') for needle in needles for group in trigrams(needle))
        groups_asked = " ".join(f'"{group}"' for group in groups)
        hits = hits.join(_INDEX, _INDEX.c.rowid == SearchText.customer_id)
        hits = hits.where(literal_column("search_index").op("MATCH")(groups_asked)).order_by(_INDEX.c.rowid.desc())
    return query.where(Customer.id.in_(hits))


def _has_all(column: Any, needles: tuple[str, ...]) -> list[ColumnElement[bool]]:
    escaped = [re.sub(r"([\\%_])", r"\\\1", needle) for needle in needles]
    return [column.like(f"%{each}%", escape="\\") for each in escaped]
