"""Finding customers by any part of their name, number or address.

By an index of three characters. FTS5 on SQLite gives hits from the newest to the oldest and stops when the page is
full. ``pg_trgm`` on PostgreSQL gives all of them at once, so the newest customers are looked through first: what many
are called is among them.
"""

import re
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, Text, bindparam, column, func, literal_column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.keyset import Cursor, Page, bounded
from crm_bridge.models import Customer, SearchText
from crm_bridge.models.base import DEFAULT_TENANT, storable
from crm_bridge.search_texts import asked, distinctive_groups, normalise_name
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import CustomerStatus

__all__ = ["MAX_HITS", "normalise_name", "search"]

MAX_HITS = 2000
"""How many hits of the index one search looks at; a search with more should be made narrower by typing on."""
NEWEST = 2000
"""How many of the newest customers are looked through before the index is asked."""

_AT_A_TIME = 200
_ONLY_BITMAPS = select(
    *(
        func.set_config(name, bindparam("others", type_=Text()), literal_column("true"))
        for name in ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan")
    )
)
_Columns = TypeVarTuple("_Columns")
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
    query = query.limit(limit + 1)
    if not normalise_name(typed):
        return _page((await session.scalars(query.order_by(Customer.id.desc()))).all(), limit)
    needles, of_name = asked(storable(typed))
    if not needles:
        return Page((), None)
    query = query.where(*(Customer.name_norm.contains(each, autoescape=True) for each in of_name))
    if (await session.connection()).dialect.name == "sqlite":
        return _page((await session.scalars(_by_fts5(query, needles, before))).all(), limit)
    query = query.order_by(Customer.id.desc())
    rows = (await session.scalars(_among_newest(query, needles, before))).all()
    if len(rows) <= limit:
        rows = await _by_pg_trgm(session, query, needles, before, wanted=limit + 1)
    return _page(rows, limit)


def _page(rows: Any, limit: int) -> Page[Customer]:
    items = tuple(rows[:limit])
    return Page(items, Cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None)


def _among_newest(query: Select[Customer], needles: tuple[str, ...], before: Cursor | None) -> Select[Customer]:
    newest = _older(select(SearchText.customer_id, SearchText.text), before)
    here = newest.order_by(SearchText.customer_id.desc()).limit(NEWEST).subquery()
    return query.where(Customer.id.in_(select(here.c.customer_id).where(*_has_all(here.c.text, needles))))


async def _by_pg_trgm(
    session: AsyncSession, query: Select[Customer], needles: tuple[str, ...], before: Cursor | None, *, wanted: int
) -> list[Customer]:
    """The hits first, then of them the newest customers until the page is full.

    The planner has no good idea of how many customers have some part in their text, and would read all of them where it
    takes rare parts for common ones: for this question it may only use the index of three characters.
    """
    hits = _older(select(SearchText.customer_id), before).where(*_has_all(SearchText.text, needles)).limit(MAX_HITS)
    await session.execute(_ONLY_BITMAPS, {"others": "off"})
    ids = sorted(await session.scalars(hits), reverse=True)
    await session.execute(_ONLY_BITMAPS, {"others": "on"})
    found: list[Customer] = []
    for start in range(0, len(ids), _AT_A_TIME):
        found += await session.scalars(query.where(Customer.id.in_(ids[start : start + _AT_A_TIME])))
        if len(found) >= wanted:
            break
    return found[:wanted]


def _by_fts5(query: Select[Customer], needles: tuple[str, ...], before: Cursor | None) -> Select[Customer]:
    """The index gives hits from the newest to the oldest, and is asked for no more than the page takes.

    No order is asked for outside: it would have all hits fetched first. The order is that of the hits, because SQLite
    joins from what has no index of its own to what has one.
    """
    groups = (group.replace('"', '""') for needle in needles for group in distinctive_groups(needle))
    asked_for = " ".join(f'"{group}"' for group in groups)
    hits = (
        _older(select(SearchText.customer_id), before)
        .join(_INDEX, _INDEX.c.rowid == SearchText.customer_id)
        .where(*_has_all(SearchText.text, needles), literal_column("search_index").op("MATCH")(asked_for))
        .order_by(_INDEX.c.rowid.desc())
        .limit(MAX_HITS)
        .subquery()
    )
    return query.join(hits, hits.c.customer_id == Customer.id)


def _older(query: Select[*_Columns], before: Cursor | None) -> Select[*_Columns]:
    return query if before is None else query.where(SearchText.customer_id < before.id)


def _has_all(column: Any, needles: tuple[str, ...]) -> list[ColumnElement[bool]]:
    escaped = [re.sub(r"([\\%_])", r"\\\1", needle) for needle in needles]
    return [column.like(f"%{each}%", escape="\\") for each in escaped]
