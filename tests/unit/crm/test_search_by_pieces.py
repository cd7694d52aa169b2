"""Searching a store piece by piece: every page is the newest of all who are meant, however the store came about."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from crm_bridge import search as searching
from crm_bridge.database import Database
from crm_bridge.ids import IdMaker
from crm_bridge.keyset import Cursor
from crm_bridge.models import Customer, SearchText
from crm_bridge.search import normalise_name, search
from crm_bridge.search_pieces import BLOCK_BITS, PIECES, Piece, pieces
from crm_bridge.search_texts import asked, text_of
from crm_bridge.vocabulary import CustomerKind, CustomerStatus

pytestmark = pytest.mark.unit

IMPORTED = datetime(2024, 5, 1, tzinfo=UTC)
NAMES = [f"Oldtown {index}" for index in range(40)] + [
    f"Wide {index} {'often' if index % 3 else 'seldom' if index % 20 == 0 else ''} w{index}@example.com"
    for index in range(120)
]
"""The first ones came by an import, in a moment; the others one by one, over years."""


def instants() -> list[int]:
    """Milliseconds: forty within a tenth of a second, then one every eleven days, then one a minute."""
    began = int(IMPORTED.timestamp() * 1000)
    slow = [began + 60_000 + index * 11 * 86_400_000 for index in range(60)]
    return [began + index * 2 for index in range(40)] + slow + [slow[-1] + index * 60_000 for index in range(1, 61)]


def ids_over_years() -> list[int]:
    clock = iter(instants())
    make = IdMaker(lambda: next(clock))
    return [make() for _ in NAMES]


async def enter_over_years(database: Database) -> dict[int, str]:
    """The customers and their texts, as they are after years; names by id."""
    names = dict(zip(ids_over_years(), NAMES, strict=True))
    async with database.begin() as session:
        for each, name in names.items():
            norm = normalise_name(name)
            session.add(
                Customer(
                    id=each, kind=CustomerKind.PERSON, display_name=name, name_norm=norm, status=CustomerStatus.ACTIVE
                )
            )
            await session.flush()
            session.add(SearchText(customer_id=each, text=text_of(norm, ())))
    if database.engine.dialect.name == "postgresql":
        await database.settle()  # the server would count in its own time
    return names


async def every_page(database: Database, typed: str, limit: int = 4) -> list[int]:
    """The ids of all pages."""
    seen: list[int] = []
    cursor: Cursor | None = None
    async with database.read() as session:
        while True:
            page = await search(session, typed, before=cursor, limit=limit)
            seen += [customer.id for customer in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return seen


def meant(names: dict[int, str], typed: str) -> list[int]:
    """By a plain look at each."""
    needles, of_name = asked(typed)
    found = [
        each
        for each, name in names.items()
        if all(part in text_of(normalise_name(name), ()) for part in needles)
        and all(part in normalise_name(name) for part in of_name)
    ]
    return sorted(found, reverse=True)


TYPED = (
    "oldtown", "wide", "often", "seldom", "oldtown 1", "wide 57", "oldtown 7", "wi", "nobody", "w57", "example",
    "e 5", "often w",
)  # fmt: skip


@pytest.mark.parametrize("newest", [3, 1000])
async def test_every_page_is_the_newest_of_all_who_are_meant(
    database: Database, monkeypatch: pytest.MonkeyPatch, newest: int
) -> None:
    """Many or few, spread, all of them old: against a plain look at each customer."""
    monkeypatch.setattr(searching, "NEWEST", newest)
    names = await enter_over_years(database)
    cut: list[int] = []

    def watched(oldest: int, below: int, bounds: Sequence[int]) -> list[Piece]:
        found = pieces(oldest, below, bounds)
        cut.append(len(found))
        return found

    monkeypatch.setattr(searching, "pieces", watched)
    for typed in TYPED:
        assert await every_page(database, typed) == meant(names, typed), typed
    if database.engine.dialect.name == "postgresql":
        assert max(cut) > 50, "the store was searched in many pieces"


async def test_parts_of_numbers_are_found_at_once_and_piece_by_piece_alike(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NEWEST", 2)
    monkeypatch.setattr("tests.unit.crm.test_search_by_pieces.NAMES", [f"A 139000{index:03}" for index in range(160)])
    names = await enter_over_years(database)
    for few in (4000, 20):
        monkeypatch.setattr(searching, "FEW", few)
        for typed in ("139000", "13900007", "3900015", "55555"):
            assert await every_page(database, typed) == meant(names, typed), (few, typed)


async def test_of_many_who_are_meant_the_few_of_ones_own_team_are_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NEWEST", 2)
    names = await enter_over_years(database)
    shown = sorted(names)[5::40]
    hidden = Customer.id.not_in(shown)
    monkeypatch.setattr(searching, "hidden_from", lambda _: hidden)
    assert await every_page(database, "wi", limit=2) == [each for each in meant(names, "wi") if each in shown]
    assert len(await every_page(database, "o")) > 1


@pytest.mark.parametrize("store_url", [pytest.param("postgresql", marks=pytest.mark.interop)], indirect=True)
async def test_the_index_is_asked_for_groups_and_blocks_together(database: Database) -> None:
    """The question is written as the index is: otherwise it would read the whole list of a group for each piece."""
    await enter_over_years(database)

    def explained(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        return ("EXPLAIN " + statement if "LATERAL" in statement else statement), parameters

    event.listen(database.engine.sync_engine, "before_cursor_execute", explained, retval=True)
    ids = ids_over_years()
    async with database.read() as session:
        lines = await searching._newest_hits(session, ("oldtown",), pieces(ids[0], ids[-1], ids), 5)
    [condition] = [str(line) for line in lines if "Index Cond" in str(line)]
    assert "Bitmap Index Scan on ix_search_text_blocks" in "\n".join(map(str, lines))
    assert "customer_id >> 32" in condition
    assert "~~ '%old%'" in condition


async def test_a_store_that_nobody_counted_yet_is_searched_in_one_piece(database: Database) -> None:
    """A fresh one: the planner knows nothing about it."""
    assert await every_page(database, "ada") == []
    async with database.begin() as session:
        session.add(Customer(id=7, kind=CustomerKind.PERSON, display_name="Ada", name_norm="ada"))
        await session.flush()
        session.add(SearchText(customer_id=7, text="  ada"))
    assert await every_page(database, "ada") == [7]


def blocks_of(some_id: int) -> set[int]:
    return {some_id >> bits for bits in BLOCK_BITS}


IDS = st.integers(0, 2**62)
NEAR = st.tuples(IDS, st.lists(st.integers(0, 2**40), max_size=20)).map(
    lambda each: [each[0] + more for more in each[1]]
)


@given(IDS, IDS, st.one_of(st.lists(IDS, max_size=30), NEAR))
def test_pieces_cover_all_ids_once_from_the_newest_on_and_their_blocks_contain_them(
    one: int, other: int, bounds: list[int]
) -> None:
    oldest, below = min(one, other), max(one, other)
    found = pieces(oldest, below, sorted(bounds))
    if oldest == below:
        assert found == []
        return
    assert found[0].below == below
    assert found[-1].since == oldest
    assert all(newer.since == older.below for newer, older in pairwise(found))
    for piece in found:
        assert piece.since < piece.below
        for some_id in (piece.since, piece.below - 1, (piece.since + piece.below) // 2):
            assert blocks_of(some_id) & set(piece.blocks)


def test_a_piece_of_years_is_a_few_blocks_and_none_of_them_reaches_into_an_import_beside_it() -> None:
    """Ten thousand a second for a quarter of an hour, then one a minute for years, cut into equally many each."""
    ids = [*imported(900_000), *slowly(900_000)]
    bounds = ids[:: len(ids) // PIECES]
    found = pieces(ids[0], ids[-1] + 1, bounds)
    assert len(found) <= PIECES + 20
    for piece in found:
        assert len(piece.blocks) < 120
    assert sum(len(piece.blocks) for piece in found) < 25 * len(found)
    touched = [sum(1 for some_id in ids[::500] if blocks_of(some_id) & set(piece.blocks)) * 500 for piece in found]
    assert max(touched) < 8 * len(ids) / PIECES + 20_000


def imported(count: int) -> Iterable[int]:
    began = int(timedelta(days=300).total_seconds() * 1000)
    return ((began + index // 10) << 22 | index % 10 for index in range(count))


def slowly(count: int) -> Iterable[int]:
    began = int(timedelta(days=300).total_seconds() * 1000) + 90_000
    return ((began + index * 60_000) << 22 for index in range(1, count + 1))
