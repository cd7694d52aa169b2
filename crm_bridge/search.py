"""Finding customers by any part of their name, number or address: the newest of all that are meant, exactly.

By an index of three characters. FTS5 on SQLite gives hits from the newest to the oldest and stops when the page is
full. ``pg_trgm`` on PostgreSQL gives all of them at once and in no order, so there are two ways to a page: to look
through the customers from the newest on, which is short when many are meant, and to sort the hits of the index, which
is short when few are. Which it is shows on the way.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
    table,
    tablesample,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.keyset import Cursor, Page, bounded
from crm_bridge.models import Customer, SearchText
from crm_bridge.models.base import DEFAULT_TENANT, storable
from crm_bridge.recent_customers import recently_contacted
from crm_bridge.search_texts import asked, distinctive_groups, normalise_name
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import CustomerStatus

__all__ = ["normalise_name", "search"]

NEWEST = 2000
"""How many of the newest customers are looked through before the index is asked: what one in a hundred is called is
among them."""
MANY = 3
"""With so many of them among those it is worth to go on looking at once."""
FEW = 4000
"""Hits of the index that are fetched and sorted whatever comes; with more of them there are many who are meant."""
MANY_AMONG = 100_000
"""How many of the newest customers are looked through then. Where ``FEW`` are spread over ten million, twenty of them
are among the newest 50,000."""
GLANCED = 4000
"""Texts that are read to learn whether very many are meant, where the index would put all of them together before it
gives the first."""
SAMPLED = 40_000
"""Texts that are read to learn where the newest hits are, when there are many and hardly one is new."""
SAMPLED_HITS = 5
"""From the oldest of so many sampled hits on there are some hundreds of hits in millions of customers, enough for a
page."""

_AT_A_TIME = 200
_ONLY_BITMAPS = select(
    *(
        func.set_config(name, bindparam("others", type_=Text()), literal_column("true"))
        for name in ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan")
    )
)
_WITHOUT_END = 2**62
_Columns = TypeVarTuple("_Columns")
_ROWS = table("pg_class", column("relname"), column("reltuples"))
"""PostgreSQL's estimate of how many rows a table has."""
_INDEX = table("search_index", column("rowid"))
"""SQLite's full-text index over the search texts, kept by triggers."""


async def search(session: AsyncSession, typed: str, *, before: Cursor | None, limit: int) -> Page[Customer]:
    """Active customers that ``typed`` describes, the most recently created first. For an empty text all of them, the
    last contacted first."""
    if not normalise_name(typed):
        return await recently_contacted(session, before=before, limit=limit)
    limit = bounded(limit)
    query = select(Customer).where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    hidden = hidden_from(session)
    if hidden is not None:
        query = query.where(~hidden)
    if before is not None:
        query = query.where(Customer.id < before.id)
    query = query.limit(limit + 1)
    needles, of_name = asked(storable(typed))
    if not needles:
        return Page((), None)
    query = query.where(*(Customer.name_norm.contains(each, autoescape=True) for each in of_name))
    return _page(await _found(session, query, needles, before, wanted=limit + 1), limit)


def _page(rows: Any, limit: int) -> Page[Customer]:
    items = tuple(rows[:limit])
    return Page(items, Cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None)


async def _found(
    session: AsyncSession, query: Select[Customer], needles: tuple[str, ...], before: Cursor | None, *, wanted: int
) -> Sequence[Customer]:
    async def among(newest: int) -> Sequence[Customer]:
        return (await session.scalars(_among_newest(query, needles, before, newest))).all()

    rows = await among(NEWEST)
    if len(rows) >= wanted:
        return rows
    if (await session.connection()).dialect.name == "sqlite":
        return (await session.scalars(_by_fts5(query, needles, before))).all()
    hits = _older(select(SearchText.customer_id), before).where(*_asked_of_trigrams(needles))
    if len(rows) < MANY and not await _is_on_very_many(session, needles):
        async with _only_bitmaps(session):
            few = sorted(await session.scalars(hits.limit(FEW)), reverse=True)
        if len(few) < FEW:
            return await _first_of(session, query, few, wanted)
    new_ones = len(rows) >= MANY
    if new_ones and len(rows := await among(MANY_AMONG)) >= wanted:
        return rows
    found = await _since_sampled(session, query, needles, before, wanted)
    if len(found) >= wanted:
        return found
    if not new_ones and len(rows := await among(MANY_AMONG)) >= wanted:
        return rows
    return await _sorted_hits(session, query, hits, wanted)


async def _is_on_very_many(session: AsyncSession, needles: tuple[str, ...]) -> bool:
    """Whether surely far more than ``FEW`` are meant. Of numbers no part is on very many, so nobody looks."""
    if all(needle.strip().isdecimal() for needle in needles):
        return False
    estimate = await session.scalar(select(_ROWS.c.reltuples).where(_ROWS.c.relname == "search_text"))
    if estimate is None or estimate <= GLANCED:
        return False
    glance = tablesample(SearchText, func.system(100.0 * GLANCED / estimate), name="glance")
    hits = await session.scalar(select(func.count()).select_from(glance).where(*_has_all(glance.c.text, needles)))
    return float(hits or 0) * float(estimate) >= 4 * FEW * GLANCED


async def _since_sampled(
    session: AsyncSession, query: Select[Customer], needles: tuple[str, ...], before: Cursor | None, wanted: int
) -> list[Customer]:
    """The newest of very many hits who may be shown. A sample of the pages tells from which id on there are enough for
    a page, and which group of three is the rarest; of the hits of this group only those since then are looked at
    closely. Fewer than ``wanted`` where the sample has too few, or hardly one may be shown."""
    estimate = await session.scalar(select(_ROWS.c.reltuples).where(_ROWS.c.relname == "search_text"))
    if estimate is None or estimate < 1:  # never counted
        return []
    share = min(100.0, 100.0 * SAMPLED / estimate)
    sample = tablesample(SearchText, func.system(share), name="sample")
    of_sample = select(sample.c.customer_id).where(*_has_all(sample.c.text, needles))
    if before is not None:
        of_sample = of_sample.where(sample.c.customer_id < before.id)
    newest = (await session.scalars(of_sample.order_by(sample.c.customer_id.desc()).limit(SAMPLED_HITS))).all()
    if len(newest) < SAMPLED_HITS:
        return []
    groups = _alphanumeric_groups(needles)
    if not groups:
        return []
    small = tablesample(SearchText, func.system(share / 8), name="small")
    counts = select(*(func.count().filter(*_has_all(small.c.text, [group])) for group in groups)).select_from(small)
    rarest = min(zip((await session.execute(counts)).one(), groups, strict=True))[1]
    since = _older(select(SearchText.customer_id), before).where(
        *_has_all(SearchText.text, [rarest]),
        SearchText.customer_id >= newest[-1],
        *_has_all(SearchText.text.op("||")(""), needles),
    )
    async with _only_bitmaps(session):
        hits = sorted(await session.scalars(since), reverse=True)
    return await _first_of(session, query, hits, wanted)


async def _sorted_hits(
    session: AsyncSession, query: Select[Customer], hits: Select[int], wanted: int
) -> list[Customer]:
    """Many are meant, and all of them are old, or hardly one may be shown: the database sorts all hits."""
    found: list[Customer] = []
    block = FEW
    while len(found) < wanted:
        async with _only_bitmaps(session):
            newest = (await session.scalars(hits.order_by(SearchText.customer_id.desc()).limit(block))).all()
        found += await _first_of(session, query, newest, wanted - len(found))
        if len(newest) < block:
            break
        hits = hits.where(SearchText.customer_id < newest[-1])
        block *= 8
    return found


def _among_newest(
    query: Select[Customer], needles: tuple[str, ...], before: Cursor | None, newest: int
) -> Select[Customer]:
    """Those of the newest customers who are meant. Read in their order, and no further than the page takes."""
    texts = _older(select(SearchText.customer_id, SearchText.text), before)
    here = texts.order_by(SearchText.customer_id.desc()).limit(newest).subquery()
    meant = query.join(here, here.c.customer_id == Customer.id).where(*_has_all(here.c.text, needles))
    return meant.order_by(here.c.customer_id.desc())


def _asked_of_trigrams(needles: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """Groups of three that cover the needles, a condition each, and the needles themselves, which the index is kept
    from: asked for a long needle, it reads the lists of all its groups to their ends, instead of going along the
    shortest and skipping in the others (for a whole number among three million, 124 ms against 2)."""
    groups = _alphanumeric_groups(needles)
    if not groups:
        return _has_all(SearchText.text, needles)
    return [*_has_all(SearchText.text, groups), *_has_all(SearchText.text.op("||")(""), needles)]


def _alphanumeric_groups(needles: tuple[str, ...]) -> list[str]:
    """What the index can be asked for."""
    groups = (group for needle in needles for group in distinctive_groups(needle) if group.strip().isalnum())
    return list(dict.fromkeys(groups))


@asynccontextmanager
async def _only_bitmaps(session: AsyncSession) -> AsyncIterator[None]:
    """The planner has no good idea of how many customers have some part in their text, and would read all of them where
    it takes rare parts for common ones: within the block it may only use the index of three characters."""
    await session.execute(_ONLY_BITMAPS, {"others": "off"})
    yield
    await session.execute(_ONLY_BITMAPS, {"others": "on"})


async def _first_of(session: AsyncSession, query: Select[Customer], ids: Sequence[int], wanted: int) -> list[Customer]:
    """The first of these customers, in this order, who may be shown."""
    found: list[Customer] = []
    for start in range(0, len(ids), _AT_A_TIME):
        some = query.where(Customer.id.in_(ids[start : start + _AT_A_TIME])).order_by(Customer.id.desc())
        found += await session.scalars(some)
        if len(found) >= wanted:
            break
    return found[:wanted]


def _by_fts5(query: Select[Customer], needles: tuple[str, ...], before: Cursor | None) -> Select[Customer]:
    """The index gives hits from the newest to the oldest, and is asked for no more than the page takes.

    No order is asked for outside: it would have all hits fetched first. The order is that of the hits, because SQLite
    joins from what has no index of its own to what has one; the limit within keeps it from taking both as one question.
    """
    groups = (group.replace('"', '""') for needle in needles for group in distinctive_groups(needle))
    asked_for = " ".join(f'"{group}"' for group in groups)
    hits = (
        _older(select(SearchText.customer_id), before)
        .join(_INDEX, _INDEX.c.rowid == SearchText.customer_id)
        .where(*_has_all(SearchText.text, needles), literal_column("search_index").op("MATCH")(asked_for))
        .order_by(_INDEX.c.rowid.desc())
        .limit(_WITHOUT_END)
        .subquery()
    )
    return query.join(hits, hits.c.customer_id == Customer.id)


def _older(query: Select[*_Columns], before: Cursor | None) -> Select[*_Columns]:
    return query if before is None else query.where(SearchText.customer_id < before.id)


def _has_all(column: Any, needles: Iterable[str]) -> list[ColumnElement[bool]]:
    escaped = [re.sub(r"([\\%_])", r"\\\1", needle) for needle in needles]
    return [column.like(f"%{each}%", escape="\\") for each in escaped]
