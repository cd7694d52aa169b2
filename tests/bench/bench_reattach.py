"""How long a customer is without an agent whose page is reloaded in mid-call.

``python -m tests.bench.bench_reattach [times]``: a whole installation, and a headless Chromium as the agent's phone.
Milliseconds without a packet of the browser, as the media edge counted them and the exchange journaled them.
"""

import asyncio
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

from tests.support.browser_phone import BROWSER_HZ, BrowserPhone, browser_phone
from tests.support.floor_people import Talk, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.waiting import until

DEADLINE_MS = 3_000


async def returned(house: Installation, customer: Talk, known: int) -> int:
    """The newest gap, once there is one more than ``known`` and the customer hears the agent again."""

    def told() -> list[int]:
        return [row.entry.gap_ms for row in house.journal.read(kinds=("leg.returned",))]

    await until("the browser is back", lambda: len(told()) > known, within=30)
    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
    return max(told()[known:])


async def reload(house: Installation, phone: BrowserPhone, customer: Talk) -> int:
    """One reload."""
    known = len(house.journal.read(kinds=("leg.returned",)))
    await phone.desk.page.reload()
    return await returned(house, customer, known)


async def measure(house: Installation, folder: Path, times: int) -> list[int]:
    """The gaps of so many reloads."""
    async with browser_phone(house, folder) as phone:
        await phone.ready("agent1")
        async with calling(house, "+12125550198") as customer:
            await phone.accept()
            await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
            found = [await reload(house, phone, customer) for _ in range(times)]
        phone.desk.complaints.clear()  # it notes reloads of a page nobody clicked; a figure is wanted here
        return found


def main() -> None:
    """Print the figures."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    plan = Plan(agents=1, ring_seconds=60, browsers=True)
    with tempfile.TemporaryDirectory() as folder, running_installation(plan) as house:
        found = sorted(asyncio.run(measure(house, Path(folder), times)))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    within = sum(gap <= DEADLINE_MS for gap in found)
    print(f"reloads {times}: gap p50 {statistics.median(found):.0f} ms, longest {found[-1]} ms")
    print(f"within {DEADLINE_MS} ms: {within} of {times}")


if __name__ == "__main__":
    main()
