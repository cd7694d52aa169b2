"""The whole routed call: ``python -m tests.bench.bench_sip_routed [rates]``.

A caller's INVITE, the flow, the queue, the decision, the agent's INVITE, the bridge and the BYE, by the exchange and
the media processes as they are; SIPp is the callers and the agents' phones. Audio is anchored and silent. The delay is
that from the caller's INVITE to the agent's; CPU is the exchange's, and media's beside it.
"""

import asyncio
import contextlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from callcenter.app import server_processes
from callcenter.clock import SystemClock
from callcenter.config import Settings, load_settings
from callcenter.link.web_side import FloorCopy, WebLink
from callcenter.ports import Match
from callcenter.sip.binding_file import KeptBinding, save_bindings
from tests.bench.sipp_load import CALLER_HOST, Load, LoadFigures, called_side, cpu_seconds, free_port, run_load

AGENTS = 400
RATES = (50, 100, 200, 300)
HOLD_MS = 300
SITE = f"""
company = "Bench"
queues = [{{ id = "all", name = "All", ring_seconds = 10, wrap_up_seconds = 0 }}]
trunks = [{{ id = "carrier", addresses = ["{CALLER_HOST}"] }}]
numbers = [{{ number = "5000", flow = "main" }}]
flows = [{{ id = "main", file = "flow.toml" }}]
"""
FLOW = """
[flow]
name = "bench"
start = "answer"
languages = ["en"]

[steps.answer]
type = "answer"
next = "queue"

[steps.queue]
type = "queue"
queue = "all"
"""
AGENT = """
[[agents]]
id = "{name}"
name = "{name}"
login = "{name}"
password_hash = "-"
queues = ["all"]
sip_ha1_md5 = "00000000000000000000000000000000"
"""


def found(folder: Path, phones_port: int) -> Settings:
    """An installation with its agents' phones registered at one port."""
    names = [f"agent{number}" for number in range(AGENTS)]
    (folder / "site.toml").write_text(SITE + "".join(AGENT.format(name=name) for name in names), "utf-8")
    (folder / "flow.toml").write_text(FLOW, "utf-8")
    (folder / "callcenter.toml").write_text(
        f'data_dir = "."\nsite = "site.toml"\n[sip]\nport = {free_port()}\n[log]\nlevel = "error"\n'
        "[media]\nport_min = 10000\nport_max = 30000\n[media.webrtc]\nenabled = false\n",
        "utf-8",
    )
    settings = load_settings(folder / "callcenter.toml")
    now = SystemClock().now()
    bindings = [
        KeptBinding(name, f"<sip:{name}@127.0.0.1>", "127.0.0.1", phones_port, 0, now + 3_600_000, name, 1)
        for name in names
    ]
    save_bindings(settings.sip_bindings, bindings)
    return settings


@contextmanager
def processes(settings: Settings, folder: Path) -> Iterator[dict[str, int]]:
    """Media and exchange; yields their process ids."""
    config = folder / "callcenter.toml"
    wanted = [each for each in server_processes(settings, config) if each.name in {"media", "exchange"}]
    running = {each.name: subprocess.Popen(each.command, env={**os.environ, **each.env}) for each in wanted}
    try:
        yield {name: process.pid for name, process in running.items()}
    finally:
        for process in reversed(running.values()):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@asynccontextmanager
async def staffed(settings: Settings) -> AsyncIterator[FloorCopy]:
    """The web process's part: customers are looked up, and every agent is signed in and ready."""

    async def nobody(number: str) -> Match:
        del number
        return Match("none")

    floor = FloorCopy()
    link = WebLink(settings.exchange_socket, floor, find_customer=nobody, on_journal=lambda _: None)
    attached = asyncio.Event()
    floor.subscribe(lambda _: None, lambda: None, lambda live: attached.set() if live else attached.clear())
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(40):
            await attached.wait()
        for agent in floor.snapshot().agents:
            await link.order("sign_in", agent.agent_id)
            await link.order("ready", agent.agent_id)
        yield floor
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def routed(rate: int, seconds: int = 6) -> tuple[LoadFigures, float, int]:
    """Calls at this rate; with them media's CPU milliseconds for each, and how many agents were ready at the end."""
    phones_port = free_port()
    with tempfile.TemporaryDirectory(prefix="cc-bench-") as name, called_side(phones_port) as notes:
        folder = Path(name)
        settings = found(folder, phones_port)
        with processes(settings, folder) as pids:
            async with staffed(settings) as floor:
                media = [pids["media"], *children(pids["media"])]
                before = sum(map(cpu_seconds, media))
                load = Load(rate, seconds, HOLD_MS)
                figures = await asyncio.to_thread(run_load, load, settings.sip.port, lambda: pids["exchange"], notes)
                used = sum(map(cpu_seconds, media)) - before
                ready = sum(agent.state == "ready" for agent in floor.snapshot().agents)
    return figures, used * 1_000 / load.calls, ready


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for task in tasks for each in task.read_text("utf-8").split()]


def main(rates: Sequence[int] = RATES) -> None:
    """Print every figure, up to the first rate that fails."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load average {os.getloadavg()[0]:.1f}, {AGENTS} agents", flush=True)
    for rate in rates:
        figures, media, ready = asyncio.run(routed(rate))
        print(f"routed  {figures}  media {media:.2f} ms CPU/call  {ready} agents ready", flush=True)
        if figures.failed:
            break


if __name__ == "__main__":
    main(tuple(int(each) for each in sys.argv[1:]) or RATES)
