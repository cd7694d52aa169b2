"""From the ringing of the agent's phone to the customer's card in a real browser, while twenty calls a second come in.

``python -m tests.bench.bench_ring_to_pop [calls]``: a whole installation, SIPp as the carrier of the other calls, a
headless Chromium with the console. Milliseconds from the INVITE at the agent's phone to the first paint of the last
interactions and of what was promised.
"""

import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.browser_page import ConsolePage, console_page
from tests.support.floor_people import AgentPhone, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.sipp import run_sipp
from tests.support.waiting import until

PER_SECOND = 20
NUMBER = "+12125550199"
WATCH = """() => {
  window.popped = new Promise((resolve) => {
    const there = () => ['recent-interactions', 'card-promises'].every(
      (name) => document.querySelector(`[data-testid="ring-card"] [data-testid="${name}"] li`));
    const look = () => { if (there()) { watcher.disconnect(); requestAnimationFrame(() => resolve(Date.now())); } };
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}"""


async def measure(house: Installation, folder: Path, calls: int) -> list[float]:
    """Milliseconds of each of so many pops."""
    await known_customer(house)
    load = asyncio.create_task(
        run_sipp(house, "uac-hangs-up-in-menu", folder, calls=PER_SECOND * calls * 4, rate=PER_SECOND, within=600)
    )
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


def main() -> None:
    """Measure and print."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(agents=1, ring_seconds=60, media_ports=2000)
        with running_installation(plan) as house:
            found = sorted(asyncio.run(measure(house, Path(folder), calls)))
    print(f"ring to pop  p50 {statistics.median(found):.0f} ms  p95 {found[int(len(found) * 0.95) - 1]:.0f} ms")
    print(f"ring to pop  most {found[-1]:.0f} ms  of {len(found)} under {PER_SECOND} calls a second")


if __name__ == "__main__":
    main()
