"""Finding customers by any part of their name, number or address: the newest of all that are meant, exactly.

By an index of three characters. FTS5 on SQLite gives hits from the newest to the oldest and stops when the page is
full. On PostgreSQL the index is asked for one piece of the store after the other, the newest first
(``search_pieces``), and for a part of a number, which few have, at once for all of it.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVarTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.keyset import Cursor, Page, bounded
from crm_bridge.models import Customer, SearchText
from crm_bridge.models.base import DEFAULT_TENANT, storable
from crm_bridge.recent_customers import recently_contacted
from crm_bridge.search_pieces import BLOCKS, Piece, pieces
from crm_bridge.search_texts import asked, distinctive_groups, normalise_name
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import CustomerStatus

__all__ = ["normalise_name", "search"]

NEWEST = 2000
"""How many of the newest customers are looked through before the index is asked: what one in a hundred is called is
among them."""
FEW = 4000
"""Hits of a part of a number that are fetched and sorted; where there are more, piece by piece is shorter."""
MANY_DIGITS = 5
"""Few customers share so many digits."""

_AT_A_TIME = 200
_ONLY_BITMAPS = select(
    *(
        func.set_config(name, bindparam("others", type_=Text()), literal_column("true"))
        for name in ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan")
    ),
    func.set_config("jit", "off", literal_column("true")),
)
_ALNUM_PAIR = re.compile(r"[^\W_]{2}")
_WORD_END = re.compile(r"[^\W_]{2}[^\w\s]")
"""Of an address: rarer than what is within its words."""
_WITHOUT_END = 2**62
_Columns = TypeVarTuple("_Columns")
_ENDS = select(
    select(func.min(SearchText.customer_id)).scalar_subquery(),
    select(func.max(SearchText.customer_id)).scalar_subquery(),
    select(literal_column("histogram_bounds::text::bigint[]", ARRAY(BigInteger)))
    .select_from(table("pg_stats"))
    .where(literal_column("(schemaname, tablename, attname) = (current_schema(), 'search_text', 'customer_id')"))
    .scalar_subquery(),
)
"""The oldest and the newest customer, and the ids that part all of them into pieces."""
_PIECES = func.unnest(
    bindparam("blocks", type_=ARRAY(Text)),
    bindparam("since", type_=ARRAY(BigInteger)),
    bindparam("below", type_=ARRAY(BigInteger)),
)
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
    if any(sum(map(str.isdigit, needle)) >= MANY_DIGITS for needle in needles):
        hits = _older(select(SearchText.customer_id), before).where(*_asked_of_trigrams(needles))
        async with _only_bitmaps(session):
            few = sorted(await session.scalars(hits.limit(FEW)), reverse=True)
        if len(few) < FEW:
            return await _first_of(session, query, few, wanted)
    return await _piece_by_piece(session, query, needles, before, wanted)


async def _piece_by_piece(
    session: AsyncSession, query: Select[Customer], needles: tuple[str, ...], before: Cursor | None, wanted: int
) -> list[Customer]:
    """The first ``wanted`` of all hits who may be shown. More hits are asked for each time, should hardly one be."""
    oldest, newest, bounds = (await session.execute(_ENDS)).one()
    if oldest is None:
        return []
    below = newest + 1 if before is None else min(before.id, newest + 1)
    found: list[Customer] = []
    at_a_time = wanted
    while len(found) < wanted:
        hits = await _newest_hits(session, needles, pieces(oldest, below, bounds or ()), at_a_time)
        found += await _first_of(session, query, hits, wanted - len(found))
        if len(hits) < at_a_time:
            break
        below = hits[-1]
        at_a_time *= 8
    return found


async def _newest_hits(
    session: AsyncSession, needles: tuple[str, ...], among: Sequence[Piece], count: int
) -> Sequence[int]:
    """The newest so many hits: piece for piece, each piece's hits sorted, until there are enough."""
    columns = (column("blocks", Text), column("since", BigInteger), column("below", BigInteger))
    piece = _PIECES.table_valued(*columns, with_ordinality="place", name="piece").render_derived()
    of_piece = (
        select(SearchText.customer_id)
        .where(
            literal_column(BLOCKS).op("&&")(cast(piece.c.blocks, ARRAY(BigInteger))),
            *_asked_of_trigrams(needles),
            SearchText.customer_id + 0 >= piece.c.since,  # the sum keeps the planner from the index of the ids
            SearchText.customer_id + 0 < piece.c.below,
        )
        .order_by(SearchText.customer_id.desc())
        .limit(count)
        .lateral("hit")
    )
    hits = select(of_piece.c.customer_id).select_from(piece.join(of_piece, true()))
    hits = hits.order_by(piece.c.place, of_piece.c.customer_id.desc()).limit(count)
    asked_for = {
        "blocks": ["{" + ",".join(map(str, each.blocks)) + "}" for each in among],
        "since": [each.since for each in among],
        "below": [each.below for each in among],
    }
    async with _only_bitmaps(session):
        return (await session.scalars(hits, asked_for)).all()


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
    """What the index can be asked for: it knows two letters before or after a sign, no sign."""
    groups = (group for needle in needles for group in _groups(needle))
    return list(dict.fromkeys(group for group in groups if group.strip().isalnum() or _ALNUM_PAIR.search(group)))


def _groups(needle: str) -> tuple[str, ...]:
    """Of digits all of them: the beginning of a number, which all numbers of a network share, narrows nothing."""
    if needle.isdecimal():
        return tuple(needle[start : start + 3] for start in range(len(needle) - 2))
    return (*distinctive_groups(needle), *_WORD_END.findall(needle))


@asynccontextmanager
async def _only_bitmaps(session: AsyncSession) -> AsyncIterator[None]:
    """The planner has no good idea of how many customers have some part in their text, and would read all of them where
    it takes rare parts for common ones: within the block it may only use the index of three characters. Nor may it
    translate the question into machine code, which takes longer than the answer."""
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
