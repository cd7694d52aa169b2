"""The whole routed call: ``python -m tests.bench.bench_sip_routed [rates]``.

A caller's INVITE, the flow, the queue, the decision, the agent's INVITE, the bridge and the BYE, by the exchange, the
web process (which looks the caller up and writes the interaction) and the media processes as they are; SIPp is the
callers and the agents' phones. Audio is anchored and silent. The delay is that from the caller's INVITE to the agent's;
CPU is the exchange's, with what its loop and what its journal's writer takes, and web's and media's beside it. The
phones are not asked whether they live, since SIPp's answer no question, and each would be put several times. The
yardstick, sippy's bridge without media or routing, is called at the same rates in the same run.
"""

import asyncio
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from callcenter.app import server_processes
from callcenter.clock import SystemClock
from callcenter.config import Settings, load_settings
from callcenter.link.exchange_side import control_socket
from callcenter.link.messages import DeskReply, DeskRequest, frame, from_exchange, read_frame
from callcenter.sip.binding_file import KeptBinding, save_bindings
from tests.bench import yardstick
from tests.bench.bench_sip import measure
from tests.bench.sipp_load import CALLER_HOST, Load, LoadFigures, called_side, cpu_seconds, free_port, run_load
from tests.support.waiting import until

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
        f'data_dir = "."\nsite = "site.toml"\n[log]\nlevel = "error"\n'
        f"[sip]\nport = {free_port()}\nwatch_phones_seconds = 0\n"
        f"[web]\nport = {free_port()}\n[media]\nport_min = 10000\nport_max = 30000\n[media.webrtc]\nenabled = false\n",
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
    """Media, exchange and web; yields their process ids."""
    config = folder / "callcenter.toml"
    wanted = server_processes(settings, config)
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


async def staff(settings: Settings) -> None:
    """Every agent signs in and is ready."""
    path = str(control_socket(settings.exchange_socket))
    for number in range(AGENTS):
        for order in ("sign_in", "ready"):
            await desk_order(path, DeskRequest(1, order, f"agent{number}"))
    await until("the web process has started, which takes as much as a thousand calls", lambda: has_tables(settings))


def has_tables(settings: Settings) -> bool:
    """Whether the customer store is there: the last thing that a web process does before it waits for work."""
    path = f"file:{settings.data_dir / 'store.sqlite'}?mode=ro"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, uri=True)) as store:
        return bool(store.execute("SELECT 1 FROM sqlite_master WHERE name = 'projection_cursor'").fetchall())
    return False


async def desk_order(path: str, request: DeskRequest) -> None:
    """Give one order as the command line does, once there is an exchange to take it."""
    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def connect() -> bool:
        with suppress(OSError):
            streams.append(await asyncio.open_unix_connection(path))
        return bool(streams)

    await until("the exchange takes orders", connect, within=60)
    reader, writer = streams[0]
    writer.write(frame(request))
    reply = await read_frame(reader, from_exchange)
    writer.close()
    assert isinstance(reply, DeskReply), reply
    assert reply.code is None, reply


@dataclass(frozen=True, slots=True)
class Shares:
    """CPU milliseconds for each call."""

    loop: float
    journal: float
    web: float
    media: float

    def __str__(self) -> str:
        return (
            f"exchange {self.loop + self.journal:.2f} (loop {self.loop:.2f}, its writer {self.journal:.2f}), "
            f"web {self.web:.2f}, media {self.media:.2f} ms CPU/call"
        )


def routed(rate: int, seconds: int = 6) -> tuple[LoadFigures, Shares]:
    """Calls at this rate, and which process had what part in them."""
    phones_port = free_port()
    with tempfile.TemporaryDirectory(prefix="cc-bench-") as name, called_side(phones_port) as notes:
        folder = Path(name)
        settings = found(folder, phones_port)
        with processes(settings, folder) as pids:
            asyncio.run(staff(settings))
            exchange, media = [[pids[each], *children(pids[each])] for each in ("exchange", "media")]
            web = pids["web"]

            def spent() -> tuple[float, float, float, float]:
                loop, whole = loop_seconds(exchange[0]), sum(map(cpu_seconds, exchange))
                return loop, whole - loop, cpu_seconds(web), sum(map(cpu_seconds, media))

            before = spent()
            load = Load(rate, seconds, HOLD_MS)
            figures = run_load(load, settings.sip.port, lambda: exchange[0], notes)
            parts = [(late - early) * 1_000 / load.calls for early, late in zip(before, spent(), strict=True)]
    return figures, Shares(*parts)


def loop_seconds(pid: int) -> float:
    """CPU time of a process's first thread, as the scheduler counts it."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text("utf-8").split()[0]) / 1e9


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    started = [int(each) for task in tasks for each in task.read_text("utf-8").split()]
    return [*started, *(later for each in started for later in children(each))]


def main(rates: Sequence[int] = RATES) -> None:
    """Print every figure, up to the first rate that fails."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load average {os.getloadavg()[0]:.1f}, {AGENTS} agents", flush=True)
    for rate in rates:
        figures, shares = routed(rate)
        print(f"routed  {figures}\n        {shares}", flush=True)
        if figures.failed:
            break
    if yardstick.install():
        measure({"sippy b2bua": yardstick.command}, rates)


if __name__ == "__main__":
    main(tuple(int(each) for each in sys.argv[1:]) or RATES)
