"""Figures of the customer store: ``python -m tests.bench.bench_store [--customers N] [--url URL]``.

Prints lookup latency, the first and the thousandth page of one long timeline, and how many records a second the
projection writes. Without ``--url`` the store is an SQLite file in a temporary folder.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter

from sqlalchemy import insert

from crm_bridge.customers import NewContactPoint, NewCustomer, create_customer, lookup_by_number
from crm_bridge.database import Database, migrate
from crm_bridge.ids import new_id
from crm_bridge.interactions import InteractionRecord, record, set_cursor
from crm_bridge.keyset import Cursor
from crm_bridge.models import Base, Customer, PhoneLookup, TimelineEvent
from crm_bridge.screen_pop import load_card
from crm_bridge.search import search
from crm_bridge.timeline import page
from crm_bridge.vocabulary import CustomerKind, CustomerStatus

START = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_NUMBER = 8613000000000
PAGE = 20
PAGES = 1000
BATCH = 200


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--lookups", type=int, default=2_000)
    parser.add_argument("--url")
    given = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(given.url or f"sqlite+aiosqlite:///{folder}/store.db", given))


async def measure(url: str, given: argparse.Namespace) -> None:
    """Fill the store and ask it."""
    await migrate(url)
    database = Database(url)
    try:
        began = perf_counter()
        oldest = await fill(database, given.customers)
        print(
            f"{given.customers} customers and {PAGE * PAGES} timeline entries filled in {perf_counter() - began:.1f} s"
        )
        await lookups(database, given.customers, given.lookups)
        await pages(database, oldest)
        await writes(database, given.records)
    finally:
        await database.close()


async def fill(database: Database, count: int) -> int:
    """Insert customers in bulk; the id of the first one, who gets the long timeline."""
    ids = [new_id() for _ in range(count)]
    stamps = {"created_at": START, "updated_at": START}
    customers = [
        {
            "id": each,
            "tenant_id": 1,
            "kind": CustomerKind.PERSON,
            "display_name": f"Customer {each}",
            "name_norm": f"customer {each}",
            "status": CustomerStatus.ACTIVE,
            "row_version": 1,
        }
        | stamps
        for each in ids
    ]
    numbers = [
        {"phone_e164_int": FIRST_NUMBER + index, "tenant_id": 1, "customer_id": each, "rank": 0}
        for index, each in enumerate(ids)
    ]
    events = [
        {
            "id": ref,
            "tenant_id": 1,
            "customer_id": ids[0],
            "at": START + timedelta(seconds=index),
            "kind": "bench",
            "ref_id": ref,
        }
        for index, ref in enumerate(new_id() for _ in range(PAGE * PAGES))
    ]
    tables: list[tuple[type[Base], Sequence[Mapping[str, object]]]] = [
        (Customer, customers),
        (PhoneLookup, numbers),
        (TimelineEvent, events),
    ]
    async with database.begin() as session:
        for table, rows in tables:
            for start in range(0, len(rows), 1000):
                await session.execute(insert(table), rows[start : start + 1000])
    return ids[0]


async def lookups(database: Database, customers: int, count: int) -> None:
    """Who has this number, for numbers spread over the whole store, through the session as the product asks."""
    async with database.read() as session:

        async def ask(index: int) -> None:
            await lookup_by_number(session, f"+{FIRST_NUMBER + index * 7919 % customers}", region="CN")

        await timed("lookup by number", ask, count)
        await timed("search by name prefix", lambda index: search(session, f"{index}", before=None, limit=20), 200)


async def pages(database: Database, customer_id: int) -> None:
    """The first and the last page of a long timeline, and the card on top of it."""
    deep = Cursor(START + timedelta(seconds=PAGE), 1)
    async with database.read() as session:
        await timed("timeline, first page", lambda _: page(session, customer_id, before=None, limit=PAGE), 200)
        await timed(f"timeline, page {PAGES}", lambda _: page(session, customer_id, before=deep, limit=PAGE), 200)
        await timed("card", lambda _: load_card(session, customer_id, START), 200)


async def writes(database: Database, count: int) -> None:
    """The projection as it runs: batches with their cursor, every caller a known customer."""
    known = NewCustomer("Known", contact_points=(NewContactPoint("+8613900001234"),))
    async with database.begin() as session:
        await create_customer(session, known, region="CN", now=START)
    began = perf_counter()
    for start in range(0, count, BATCH):
        async with database.begin() as session:
            for seq in range(start + 1, min(start + BATCH, count) + 1):
                await record(session, call(seq), region="CN")
            await set_cursor(session, "bench", start + BATCH)
    print(f"{'projection, batches of ' + str(BATCH):28} {count / (perf_counter() - began):8.0f} records/s")


def call(seq: int) -> InteractionRecord:
    """A call of the known customer."""
    at = START + timedelta(seconds=seq)
    return InteractionRecord(
        contact_id=f"c{seq}",
        call_id=f"k{seq}",
        outcome="answered",
        started_at=at,
        ended_at=at,
        from_value="+8613900001234",
        to_value="+862161234567",
        ended_by="customer",
        journal_seq=seq,
    )


async def timed(what: str, ask: Callable[[int], Awaitable[object]], count: int) -> None:
    """Ask ``count`` times and print the percentiles in milliseconds."""
    took = []
    for index in range(count):
        began = perf_counter()
        await ask(index)
        took.append((perf_counter() - began) * 1000)
    cuts = statistics.quantiles(took, n=100)
    print(f"{what:28} p50 {cuts[49]:7.3f} ms   p95 {cuts[94]:7.3f} ms   p99 {cuts[98]:7.3f} ms")


if __name__ == "__main__":
    main()
