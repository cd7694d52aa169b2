"""From the ringing of the agent's phone to the customer's card in a real browser, while twenty calls a second come in.

``python -m tests.bench.bench_ring_to_pop [--calls N] [--customers N] [--database D]``: a whole installation, its store
filled with so many invented customers, SIPp as the carrier of the other calls, which come from those customers, a
headless Chromium with the console. Milliseconds from the INVITE at the agent's phone to the first paint of the last
interactions and of what was promised.
"""

import argparse
import asyncio
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, func, make_url, select

from crm_bridge.database import Database, migrate
from crm_bridge.invented import enter_invented, number_at
from crm_bridge.models import Customer, ProjectionCursor
from tests.support import postgresql
from tests.support.browser_page import ConsolePage, console_page
from tests.support.floor_people import AgentPhone, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.sipp import SCENARIOS, run_sipp
from tests.support.waiting import until

PER_SECOND = 20
NUMBER = f"+1212555{random.randrange(10_000):04d}"
"""Another one each time, for a store that is used again."""
WATCH = """() => {
  window.popped = new Promise((resolve) => {
    const there = () => ['recent-interactions', 'card-promises'].every(
      (name) => document.querySelector(`[data-testid="ring-card"] [data-testid="${name}"] li`));
    const look = () => { if (there()) { watcher.disconnect(); requestAnimationFrame(() => resolve(Date.now())); } };
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}"""


async def measure(house: Installation, folder: Path, calls: int, customers: int) -> list[float]:
    """Milliseconds of each of so many pops."""
    await known_customer(house)
    scenario, callers = told_callers(folder, customers)
    others = run_sipp(
        house, scenario, folder, calls=PER_SECOND * calls * 4, rate=PER_SECOND, within=600, callers=callers
    )
    load = asyncio.create_task(others)
    found = []
    async with console_page(house, folder) as desk, AgentPhone(house, "agent1", answers=False) as phone:
        await desk.sign_in("agent1")
        await desk.go_ready()
        await until("calls are flowing", lambda: len(house.journal.read(kinds=("call.closed",))) > PER_SECOND)
        for _ in range(calls):
            found.append(await one(house, desk, phone))
            await desk.until_agent_is("ready")
        complaints = list(desk.complaints)
        desk.complaints.clear()  # a figure is wanted here, the tests hold the page to silence
    if complaints:
        print(f"the page complained {len(complaints)} times, first: {complaints[0][:120]}")
    load.cancel()
    await asyncio.gather(load, return_exceptions=True)
    return found


async def one(house: Installation, desk: ConsolePage, phone: AgentPhone) -> float:
    """A customer calls, the phone rings, the card appears, the customer gives up."""
    await desk.page.evaluate(WATCH)
    async with calling(house, NUMBER) as customer:
        await phone.rings()
        rang_at = time.time() * 1000
        async with asyncio.timeout(20):
            popped_at: float = await desk.page.evaluate("() => window.popped")
        await customer.hang_up()
    return popped_at - rang_at


async def known_customer(house: Installation) -> None:
    """Somebody with an earlier call and a promise."""
    async with house.signed_in() as http:
        body = {"display_name": "Maria Lopez", "contact_points": [{"value": NUMBER}]}
        customer = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
        promise = {"what": "send the quote", "due_at": "2030-01-01T00:00:00Z"}
        path = f"/api/v1/customers/{customer['id']}"
        (await http.post(f"{path}/promises", json=promise)).raise_for_status()
        async with calling(house, NUMBER, keys="") as early:
            await early.hang_up()

        async def called_before() -> bool:
            return bool((await http.get(f"{path}/card")).json()["last_interactions"])

        await until("the earlier call is on the card", called_before)


def told_callers(folder: Path, customers: int) -> tuple[str, Path]:
    """The scenario of the other calls, and its table of callers: customers from all over the store."""
    scenario, table = folder / "customers-call", folder / "callers.csv"
    plain = (SCENARIOS / "uac-hangs-up-in-menu.xml").read_text("utf-8")
    scenario.with_suffix(".xml").write_text(plain.replace("+1646[call_number]", "[field0]"), "utf-8")
    numbers = (number_at(place * 7919 % max(customers, 1)) for place in range(5000))
    table.write_text("SEQUENTIAL\n" + "".join(f"{number}\n" for number in numbers), "utf-8")
    return str(scenario), table


@contextmanager
def store(folder: Path, customers: int, database: str) -> Iterator[str]:
    """The URL of a store with so many invented customers: a new one, or one that is there and keeps what it has."""
    if database == "postgresql":
        with postgresql.running_server(durable=True) as server:
            postgresql.execute(server, "CREATE DATABASE store")
            url = make_url(server).set(database="store").render_as_string()
            asyncio.run(fill(url, customers))
            yield url
        return
    url = f"sqlite+aiosqlite:///{folder / 'store.sqlite'}" if database == "sqlite" else database
    asyncio.run(fill(url, customers))
    yield url


async def fill(url: str, customers: int) -> None:
    """Enter the customers that are missing."""
    await migrate(url)
    database = Database(url)
    async with database.read() as session:
        there = await session.scalar(select(func.count()).select_from(Customer)) or 0
    if there < customers:
        await enter_invented(database, count=customers, seed=1, now=datetime.now(UTC))
    async with database.begin() as session:
        await session.execute(delete(ProjectionCursor))  # the journal will be a new one
    await database.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10, help="how many pops are measured")
    parser.add_argument("--customers", type=int, default=0, help="how many invented customers the store has")
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, or the URL of a store to be used")
    asked = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name, store(Path(name), asked.customers, asked.database) as url:
        print(f"{asked.customers} customers in the store, load {os.getloadavg()[0]:.1f}")
        plan = Plan(agents=1, ring_seconds=60, media_ports=2000, store_url=url)
        with running_installation(plan) as house:
            found = sorted(asyncio.run(measure(house, Path(name), asked.calls, asked.customers)))
    print(f"ring to pop  p50 {statistics.median(found):.0f} ms  p95 {found[int(len(found) * 0.95) - 1]:.0f} ms")
    print(f"ring to pop  most {found[-1]:.0f} ms  of {len(found)} under {PER_SECOND} calls a second")


if __name__ == "__main__":
    main()
