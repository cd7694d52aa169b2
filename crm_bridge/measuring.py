"""Figures of a customer store: what a ringing phone, a long history and a busy journal cost it."""

import resource
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

from sqlalchemy import func, select

from crm_bridge.customers import NewContactPoint, NewCustomer, create_customer, lookup_by_number
from crm_bridge.database import Database, migrate
from crm_bridge.ids import new_id
from crm_bridge.interactions import InteractionRecord, record_batch, set_cursor
from crm_bridge.invented import enter_invented, number_at
from crm_bridge.keyset import Cursor
from crm_bridge.models import Customer
from crm_bridge.search import search
from crm_bridge.timeline import Start, page

START = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 50
PAGES = 1000
LONG_TIMELINE = 100_000
BATCH = 500

_STEP = 7919
_BUSIEST = "+8615900001234"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    """What ``measure`` found. Milliseconds, records a second of wall clock and of processor time."""

    customers: int
    fill_s: float
    lookup_p50_ms: float
    lookup_p95_ms: float
    lookup_p99_ms: float
    timeline_first_ms: float
    timeline_1000th_ms: float
    search_p50_ms: float
    search_p95_ms: float
    search_common_p95_ms: float
    """For parts that very many share: all of them, the older half, and whoever is in between."""
    search_most_ms: float
    """The longest of all searches."""
    writes_per_s: float
    writes_per_cpu_s: float
    """By this process's own processor time; a database server's is not in it."""


async def measure(url: str, *, customers: int, seed: int, records: int, lookups: int) -> StoreFigures:
    """Fill the store up to ``customers`` invented ones and ask it. Expects a database of its own, or one it filled."""
    await migrate(url)
    database = Database(url)
    try:
        began = perf_counter()
        busiest = await _fill(database, customers, seed)
        fill_s = perf_counter() - began
        asked = await _lookups(database, customers, lookups)
        first, deep = await _pages(database, busiest)
        searched = await _searches(database, customers)
        common = await _common_searches(database, customers)
        wall, processor = await _writes(database, customers, records)
        return StoreFigures(
            customers=customers,
            fill_s=round(fill_s, 1),
            lookup_p50_ms=_percentile(asked, 50),
            lookup_p95_ms=_percentile(asked, 95),
            lookup_p99_ms=_percentile(asked, 99),
            timeline_first_ms=_percentile(first, 50),
            timeline_1000th_ms=_percentile(deep, 50),
            search_p50_ms=_percentile(searched, 50),
            search_p95_ms=_percentile(searched, 95),
            search_common_p95_ms=_percentile(common, 95),
            search_most_ms=round(max(searched + common), 3),
            writes_per_s=round(records / wall, 1),
            writes_per_cpu_s=round(records / processor, 1),
        )
    finally:
        await database.close()


async def _fill(database: Database, customers: int, seed: int) -> int:
    """Customers that are missing, and one more with a long history of calls; the id of that one."""
    async with database.read() as session:
        present = await session.scalar(select(func.count()).select_from(Customer)) or 0
        busiest = (await lookup_by_number(session, _BUSIEST, region="CN")).only_customer_id
    if present < customers:
        await enter_invented(database, count=customers, seed=seed, now=START)
    if busiest is None:
        known = NewCustomer("Busiest Customer", contact_points=(NewContactPoint(_BUSIEST),))
        async with database.begin() as session:
            busiest = (await create_customer(session, known, region="CN", now=START)).id
    for start in range(0, LONG_TIMELINE, BATCH):  # repeated, it changes nothing
        calls = [_call(f"busiest-{seq}", seq, _BUSIEST) for seq in range(start + 1, start + BATCH + 1)]
        async with database.begin() as session:
            await record_batch(session, calls, region="CN")
    return busiest


async def _lookups(database: Database, customers: int, count: int) -> list[float]:
    """Who has this number, for numbers spread over the whole store, through the session as the product asks."""
    async with database.read() as session:

        async def ask(index: int) -> None:
            await lookup_by_number(session, number_at(index * _STEP % customers), region="CN")

        return await _timed(ask, count)


async def _pages(database: Database, customer_id: int) -> tuple[list[float], list[float]]:
    deep = Cursor(START + timedelta(seconds=LONG_TIMELINE - PAGE * (PAGES - 1)), 1)
    async with database.read() as session:

        async def first(_: int) -> None:
            await page(session, customer_id, limit=PAGE)

        async def thousandth(_: int) -> None:
            await page(session, customer_id, start=Start(before=deep), limit=PAGE)

        return await _timed(first, 100), await _timed(thousandth, 100)


async def _searches(database: Database, customers: int) -> list[float]:
    """Parts of names, initials, middle and last digits, addresses: what people type."""
    typed: list[Callable[[int], str]] = [
        lambda index: number_at(index * _STEP % customers)[5:11],
        lambda index: number_at(index * _STEP % customers)[-5:],
        lambda index: f"stomer{index * _STEP % customers}@",
        lambda index: ("王晓", "xiaoming", "zxm", "浩然", "远帆物流")[index % 5],
        lambda index: ("Ada Bar", "arlow", "ellery", "north bak", "mona")[index % 5],
    ]
    async with database.read() as session:

        async def ask(index: int) -> None:
            await search(session, typed[index % len(typed)](index), before=None, limit=20)

        return await _timed(ask, 250)


async def _common_searches(database: Database, customers: int) -> list[float]:
    """The most common parts of names, numbers and addresses, and those that only older customers have: addresses are
    counted through, so ``customer1`` is on a tenth of a million of them, none of the newest."""
    digits = len(str(customers - 1))
    old = [f"customer{first}" for first in range(1, 10)] + [f"customer{first}" for first in range(10, 100, 10)]
    everywhere = ["王", "wang", "ada", "customer", "example", "8613", "明", "north", "有限公司", "an", "customer1@"]
    typed = everywhere + [each for each in old if len(each) - len("customer") < digits]
    async with database.read() as session:

        async def ask(index: int) -> None:
            await search(session, typed[index % len(typed)], before=None, limit=20)

        return await _timed(ask, 3 * len(typed))


async def _writes(database: Database, customers: int, count: int) -> tuple[float, float]:
    """The projection as it runs: batches with their cursor, callers spread over the customers."""
    run = new_id()
    calls = [_call(f"{run}-{seq}", seq, number_at(seq * _STEP % customers)) for seq in range(1, count + 1)]
    wall, processor = perf_counter(), _processor_s()
    for start in range(0, count, BATCH):
        async with database.begin() as session:
            await record_batch(session, calls[start : start + BATCH], region="CN")
            await set_cursor(session, f"bench-{run}", start + BATCH)
    return perf_counter() - wall, _processor_s() - processor


def _call(contact_id: str, seq: int, caller: str) -> InteractionRecord:
    at = START + timedelta(seconds=seq)
    return InteractionRecord(
        contact_id=contact_id,
        call_id=contact_id,
        outcome="answered",
        started_at=at,
        answered_at=at + timedelta(seconds=20),
        ended_at=at + timedelta(seconds=200),
        from_value=caller,
        to_value="+862161234567",
        queue_id="service",
        agent_id="lin",
        agent_name="Lin",
        flow_path=("English", "Service"),
        ended_by="customer",
        journal_seq=seq,
    )


async def _timed(ask: Callable[[int], Awaitable[None]], count: int) -> list[float]:
    """Milliseconds of each of ``count`` questions."""
    took = []
    for index in range(count):
        began = perf_counter()
        await ask(index)
        took.append((perf_counter() - began) * 1000)
    return took


def _percentile(took: list[float], percent: int) -> float:
    return round(statistics.quantiles(took, n=100)[percent - 1], 3)


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
