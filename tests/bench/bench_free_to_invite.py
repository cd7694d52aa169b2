"""From an agent becoming free to the next caller's INVITE at that agent's phone, whatever the number waiting.

``python -m tests.bench.bench_free_to_invite [waiting ...]``: a whole installation with its journal on disk, its media
processes and its customer store; callers and the agent are phones on loopback sockets.

``hang-up``: the clock starts when the agent's BYE leaves (no wrap-up) and stops when the INVITE is there, at the socket
of the phone: both ways by the kernel, parsing, closing the old call and ringing for the next, with the flush of the
journal between. ``with the phone``: what this phone, Python as well, takes to write the one and read the other counts,
too. ``ready``: the same from the console's order to be ready, through the web process. Callers who wait are on hold at
their carrier (``a=inactive``): music for a thousand of them would take the two cores that are measured. What one flush
of the journal costs on this disk is printed beside.
"""

import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from callcenter.calls.facts import TimersFired
from callcenter.journal import SqliteJournal
from callcenter.sip.flows import Flow
from callcenter.sip.phone import PhoneCall, SoftPhone
from tests.support.floor_people import Seat
from tests.support.installation import CARRIER_HOST, Installation, Plan, running_installation
from tests.support.waiting import until

WAITING = (0, 100, 1_000)
SAMPLES = 40
AT_ONCE = 16
"""Calls that are set up together."""
NUMBER = "+12025550177"
HELD = (
    f"v=0\r\no=- 1 1 IN IP4 {CARRIER_HOST}\r\ns=-\r\nc=IN IP4 {CARRIER_HOST}\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\na=inactive\r\n"
)
FLOW = """
[flow]
name = "straight"
start = "answer"
languages = ["en"]
default_language = "en"

[steps.answer]
type = "answer"
next = "support"

[steps.support]
type = "queue"
queue = "support"
"""


class Crowd:
    """The callers, all at one carrier."""

    def __init__(self, house: Installation) -> None:
        self._house = house
        self._read = max((row.seq for row in house.journal.read(kinds=("contact.arrived",))), default=0)
        self._expected = 0
        self._come: set[str] = set()
        """The contacts of callers so far. One whose agent went at once arrives again and is nobody new."""
        self._phone = SoftPhone(host=CARRIER_HOST, server=house.sip, username="+12125550100")

    async def come(self, count: int) -> None:
        """So many more wait, once they do."""
        door = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with door, asyncio.timeout(20):
                call = await self._phone.call(NUMBER, HELD)
                await call.answered()

        await asyncio.gather(*(one() for _ in range(count)))
        self._expected += count
        await until(f"{self._expected} callers came in all", self._have_come, within=30)

    def _have_come(self) -> bool:
        for row in self._house.journal.read(after=self._read, kinds=("contact.arrived",)):
            self._read = row.seq
            self._come.add(row.entry.contact_id)
        return len(self._come) >= self._expected

    async def start(self) -> None:
        """Open the carrier's socket."""
        await self._phone.start()

    async def go(self) -> None:
        """Whoever is left is cut off."""
        await self._phone.stop()


def cpu_ms(pid: int) -> float:
    """CPU milliseconds of all threads of a process so far, as the scheduler counts them."""
    return sum(int(each.read_text("utf-8").split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6


class Watch:
    """Milliseconds of each sample, and the CPU milliseconds that the exchange spent meanwhile."""

    def __init__(self, pid: int) -> None:
        self.on_wire: list[float] = []
        """From the BYE to the INVITE, at the phone's socket."""
        self._found: list[float] = []
        self._pid = pid
        self._spent: list[float] = []
        self._left = self._came = 0.0

    def see(self, data: bytes, flow: Flow, now: int, *, outgoing: bool) -> None:
        """A message leaves the phone, or is there."""
        del flow, now
        if outgoing and data.startswith(b"BYE "):
            self._left = time.perf_counter()
        elif not outgoing and data.startswith(b"INVITE "):
            self._came = time.perf_counter()

    async def next_ring(self, seat: Seat, deed: Coroutine[Any, Any, object]) -> PhoneCall:
        """Do what frees the agent, and take the time until the phone rings."""
        seat.tap(self.see)
        self._left = 0.0
        before, started = cpu_ms(self._pid), time.perf_counter()
        doing = asyncio.ensure_future(deed)
        call = await seat.rings()
        self._found.append(1000 * (time.perf_counter() - started))
        if self._left:
            self.on_wire.append(1000 * (self._came - self._left))
        self._spent.append(cpu_ms(self._pid) - before)
        await doing
        return call

    def __str__(self) -> str:
        with_phone = f"{told(self._found)}, CPU {statistics.median(self._spent):5.2f} ms"
        return f"{told(self.on_wire)}, with the phone {with_phone}" if self.on_wire else with_phone


async def measure(house: Installation, waiting: int) -> tuple[Watch, Watch]:
    """Freed by hanging up, and by being ready again; so many wait behind whoever is served."""
    pid = house.pid("exchange")
    hung_up, ready = Watch(pid), Watch(pid)
    async with crowd_at(house) as crowd, Seat(house, "agent1", answers=False, speaks=False) as seat:
        await crowd.come(waiting + 1)
        await seat.go_ready()
        call, talked = await seat.rings(), ""
        for _ in range(SAMPLES):
            await crowd.come(1)
            talk = await seat.answer(call)
            talked = await another_talk(seat, talked)
            call = await hung_up.next_ring(seat, talk.hang_up())
        for _ in range(SAMPLES):
            call.refuse()
            await seat.until_state("not_ready")
            call = await ready.next_ring(seat, seat.console.intend("agent.ready"))
        call.refuse()
        await seat.until_state("not_ready")
    return hung_up, ready


async def another_talk(seat: Seat, before: str) -> str:
    """Wait until the console shows another talk than this one, and name its contact: an agent who hangs up before
    routing has agreed has had nobody, and the caller waits on."""

    def talks() -> bool:
        return seat.state == "busy" and seat.agent.get("contact_id") != before

    await until("the console shows the next talk", talks)
    return str(seat.agent["contact_id"])


@asynccontextmanager
async def crowd_at(house: Installation) -> AsyncIterator[Crowd]:
    """Callers, who are gone at the end."""
    crowd = Crowd(house)
    await crowd.start()
    try:
        yield crowd
    finally:
        await crowd.go()


async def flush_ms(folder: Path) -> list[float]:
    """Milliseconds in which a journal on this disk, with nothing else to do, confirms one entry."""
    journal, found = SqliteJournal(folder / "journal.sqlite"), []
    await journal.open()
    for number in range(SAMPLES):
        started = time.perf_counter()
        await journal.committed(journal.append(TimersFired(number), at=number))
        found.append(1000 * (time.perf_counter() - started))
    await journal.close()
    return found


def told(found: Sequence[float]) -> str:
    """Median, and what all but one in a hundred stay below (with few samples: the worst)."""
    ranked = sorted(found)
    return f"p50 {statistics.median(ranked):6.2f}  p99 {ranked[int(len(ranked) * 0.99)]:6.2f} ms"


def main(sizes: Sequence[int] = WAITING) -> None:
    """Print one row for each number of waiting callers."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "straight.toml").write_text(FLOW, "utf-8")
        site = f'[[flows]]\nid = "straight"\nfile = "{folder / "straight.toml"}"\n\n'
        site += f'[[numbers]]\nnumber = "{NUMBER}"\nflow = "straight"\n'
        print(f"one flush of a journal: {told(asyncio.run(flush_ms(folder)))}", flush=True)
        with running_installation(Plan(ring_seconds=60, media_ports=4_000, more_site=site)) as house:
            for waiting in sizes:
                hung_up, ready = asyncio.run(measure(house, waiting))
                print(f"{waiting:5} waiting  hang-up: {hung_up}  ready: {ready}", flush=True)


if __name__ == "__main__":
    main(tuple(int(each) for each in sys.argv[1:]) or WAITING)
